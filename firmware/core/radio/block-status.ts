// When a device says what it lacks, among many that may lack the same: not while the gateway is sending, those first that lack most, and
// not if somebody has just said as much. It only decides on the moment; what is said is block-receiver.ts.
//
//   last frame heard ── SILENCE_MS ──┬─ slot 0 ─┬─ slot 1 ─┬ … ┬─ slot 10 ─┐      spoken, and nothing follows: again after REPEAT_MS,
//                                    │ lacks 33 │          │   │  lacks 1  │      twice that, …
//                                    └──────────┴──────────┴───┴───────────┘
//
// A status is broadcast, so the others hear it; the sender begins as soon as it has heard one, which ends the silence for all. A node that kept
// quiet for another one, and hears nothing follow, speaks at its next turn: the other one may be out of the sender's range.

import {
  FRESH_MS,
  REPEAT_MAXIMUM_MS,
  REPEAT_MS,
  SILENCE_MS,
  STATUS_SLOT_COUNT,
  STATUS_SLOT_MS,
} from "./block-vocabulary.js";

export interface Turn {
  /** When the gateway was last heard sending blocks of this image, ms since the boot; in the future: until then it has said not to. */
  readonly heardAt: number;
  /** When this device speaks unless something is heard; absent: it waits for silence. */
  readonly speakAt: number | undefined;
  /** When its timer fires. */
  readonly wakeAt: number;
  /** Somebody who lacks as much has said so. */
  readonly isSaid: boolean;
  /** How often it has spoken into this silence. */
  readonly spokenCount: number;
}

/** The timer's delay; absent: it runs as it should. */
type Wake = number | undefined;

/** Nothing is heard yet: the gateway may not be sending at all. */
export function firstTurn(at: number, random: number): readonly [Turn, Wake] {
  const speakAt = at + SILENCE_MS + random * FRESH_MS;
  return [{ heardAt: at, speakAt, wakeAt: speakAt, isSaid: false, spokenCount: 0 }, speakAt - at];
}

/**
 * The gateway is sending: a node that wants to speak waits for silence again.
 *
 * @param quietMs how long it has said that nothing comes, and nobody needs to ask
 */
export function gatewaySends(turn: Turn, at: number, quietMs = 0): readonly [Turn, Wake] {
  const heardAt = at + quietMs;
  const isLate = turn.wakeAt > heardAt + SILENCE_MS;
  const next: Turn = {
    heardAt,
    speakAt: undefined,
    wakeAt: isLate ? heardAt + SILENCE_MS : turn.wakeAt,
    isSaid: false,
    spokenCount: 0,
  };
  return [next, isLate ? heardAt + SILENCE_MS - at : undefined];
}

/** The timer has fired. Whether it speaks now, and when the timer fires next. */
export function takeTurn(
  turn: Turn,
  lacking: number,
  isFresh: boolean,
  { at, random }: { readonly at: number; readonly random: number },
): { readonly turn: Turn; readonly isSpeaking: boolean; readonly wakeMs: number } {
  const quietUntil = turn.heardAt + (isFresh ? FRESH_MS : SILENCE_MS);
  if (turn.speakAt === undefined) {
    const speakAt = at < quietUntil ? undefined : quietUntil + slotMs(lacking, random);
    return wait({ ...turn, speakAt }, Math.max(at, speakAt ?? quietUntil), at);
  }
  if (at < turn.speakAt) return wait(turn, turn.speakAt, at);
  const isSpeaking = !turn.isSaid;
  const spokenCount = turn.spokenCount + (isSpeaking ? 1 : 0);
  const pauseMs = Math.min(REPEAT_MAXIMUM_MS, REPEAT_MS * 2 ** Math.max(0, spokenCount - 1));
  const speakAt = at + pauseMs * (0.75 + random / 2);
  const next = { ...turn, isSaid: false, spokenCount, speakAt };
  return { ...wait(next, speakAt, at), isSpeaking };
}

const wait = (turn: Turn, wakeAt: number, at: number) => ({
  turn: { ...turn, wakeAt },
  isSpeaking: false,
  wakeMs: wakeAt - at,
});

/** Within a slot at random, so that not all who lack the same speak at once. */
const slotMs = (lacking: number, random: number): number => STATUS_SLOT_MS * (slotOf(lacking) + random);

/** Finer where most devices are at the end of a round. */
export function slotOf(lacking: number): number {
  for (let slot = 0; slot < SLOTS.length; slot++) if (lacking >= SLOTS[slot]!) return slot;
  return STATUS_SLOT_COUNT - 1;
}

/** What a device of each slot lacks at least; of the last one, 1. */
const SLOTS: readonly number[] = Object.freeze([33, 24, 20, 16, 12, 9, 6, 4, 3, 2]);
