// Keeps an offer from restarting the device for ever. What is judged or installed is noted in NVS before it can do harm, and the note is
// taken back when that has ended in any way that is no crash. A boot that came of a crash and finds the note counts; after three the offer
// is left alone for a day, whatever was wrong with it. Any other offer is free. It decides; the parts of an update ask it.
//
//   an answer that may bring an offer ─► noted: which firmware, as its header says     (before it is read)
//   an offer, a push ───────────────────► noted: which image                            (before it is verified)
//   idle again, or armed ───────────────► not noted any more
//
//   booted by a crash, noted ─ the third time in a row ─► held back until a day later by the server's time, and told (OFFER_CRASHES)
//        └──────────────────── before ─► counted; forgotten as soon as a download gets further than it was
//
// Flash wears: answers too short for an offer are not noted, nor those that have been survived since the boot.

import type { Effect } from "../effect.js";
import type { Booted } from "../event.js";
import { endedBlamelessly } from "../identity.js";
import { meantRestart, resetCause } from "../trial/restart-cause.js";
import { PUSHED } from "./record.js";

/** NVS key of the note, and of what is held back. */
export const OFFER_NOTE_KEY = "offer";
export const OFFER_HELD_KEY = "offer.held";
export const MAX_OFFER_CRASHES = 3;
export const HOLD_SECONDS = 86_400;
/** Longest answer that is not noted, bytes: it has no room for a manifest. One without an offer is shorter. */
export const MAX_PLAIN_ANSWER_BYTES = 512;

/** What a crash may come of. */
export interface Suspect {
  /** PUSHED: of a push, or not known. */
  readonly firmwareId: number;
  /** The beginning of what tells the image from others; empty: not known yet. */
  readonly image: string;
  /** Length of the answer that brought it; 0: it was pushed. */
  readonly answerBytes: number;
}

interface Noted {
  readonly suspect: Suspect;
  /** Boots in a row that it has cost. */
  readonly crashCount: number;
}

interface Held {
  readonly suspect: Suspect;
  /** The server's time, seconds since 1970; 0: it was not known yet when this was stored. */
  readonly until: number;
  /** The server has taken the report. */
  readonly isTold: boolean;
}

export interface OfferGuard {
  /** What is under way. */
  readonly open: Noted | undefined;
  /** What has cost boots before this one. */
  readonly blamed: Noted | undefined;
  readonly held: Held | undefined;
  /** The last answer that was read to its end since the boot. */
  readonly survived: Suspect | undefined;
}

export const initialOfferGuard: OfferGuard = Object.freeze({
  open: undefined,
  blamed: undefined,
  held: undefined,
  survived: undefined,
});

export type Guarded = readonly [OfferGuard, readonly Effect[]];

const IMAGE_DIGITS = 16;

/** The suspect of an image that is named by a hash, a signature or anything else that no other image has. */
export const suspectOf = (firmwareId: number, name: string, answerBytes: number): Suspect => ({
  firmwareId,
  image: name.slice(-IMAGE_DIGITS),
  answerBytes,
});

/** What a boot concludes. `held` with `isTold` false has to be told. */
export function guardAtBoot(event: Booted): Guarded {
  const note = readNote(event.stored[OFFER_NOTE_KEY]);
  const held = readHeld(event.stored[OFFER_HELD_KEY]);
  const guard: OfferGuard = { ...initialOfferGuard, held };
  if (!note) return [guard, []];
  const { suspect, isOpen } = note;
  if (!isOpen) return [{ ...guard, blamed: note }, []];
  const hasCrashed = !endedBlamelessly(event.resetReason) && meantRestart(event) === undefined;
  const crashCount = note.crashCount + (hasCrashed ? 1 : 0);
  if (crashCount >= MAX_OFFER_CRASHES) return hold(guard, suspect, event);
  if (crashCount === 0) return [guard, [FORGET_NOTE]];
  const blamed: Noted = { suspect, crashCount };
  const message = `restarted by ${resetCause(event)} over ${nameOf(suspect)}: ${crashCount} of ${MAX_OFFER_CRASHES} times`;
  return [
    { ...guard, blamed },
    [...(hasCrashed ? [{ type: "log", level: "warn", message } as const] : []), storeNote(blamed, false)],
  ];
}

function hold(guard: OfferGuard, suspect: Suspect, event: Booted): Guarded {
  const held: Held = { suspect, until: 0, isTold: false };
  const message = `restarted by ${resetCause(event)}: ${describeHold(suspect)} [OFFER_CRASHES]`;
  return [
    { ...guard, held },
    // in this order: power that fails in between leaves a count that was higher before, not none
    [{ type: "log", level: "error", message }, storeHeld(held), FORGET_NOTE],
  ];
}

/** For a person. */
export const describeHold = (suspect: Suspect): string =>
  `the device restarted ${MAX_OFFER_CRASHES} times in a row while it judged or installed ${nameOf(suspect)}, which is left alone for a day`;

function nameOf({ firmwareId, answerBytes }: Suspect): string {
  if (answerBytes === 0) return "an image that was pushed";
  return firmwareId === PUSHED ? `what an answer of ${answerBytes} bytes brought` : `firmware ${firmwareId}`;
}

/** Before it can do harm. Noted already, or survived since the boot: nothing is written. */
export function beginOffer(guard: OfferGuard, suspect: Suspect): Guarded {
  const { open, blamed, survived } = guard;
  if (suspect.image === "" && survived && isSameAnswer(survived, suspect)) return [guard, []];
  const known = [open, blamed].find((noted) => noted !== undefined && isSame(noted.suspect, suspect));
  const next: Noted = { suspect, crashCount: known?.crashCount ?? 0 };
  return [{ ...guard, open: next }, [storeNote(next, true)]];
}

/** It is over, and the device still runs. */
export function endOffer(guard: OfferGuard): Guarded {
  const { open } = guard;
  if (!open) return [guard, []];
  const survived = open.suspect.answerBytes > 0 ? open.suspect : guard.survived;
  return [{ ...guard, open: undefined, blamed: undefined, survived }, [FORGET_NOTE]];
}

/** A download has brought a chunk that stays: a device that gets further with each boot does not restart for ever. */
export function offerProgressed(guard: OfferGuard): Guarded {
  const { open } = guard;
  if (!open || open.crashCount === 0) return [guard, []];
  const next: Noted = { ...open, crashCount: 0 };
  return [{ ...guard, open: next, blamed: undefined }, [storeNote(next, true)]];
}

/**
 * Whether it is left alone now.
 *
 * @param time the server's, seconds since 1970; undefined: not known, so that only a day since the boot ends it
 * @param at milliseconds since the boot
 */
export function isHeldBack(
  { held }: OfferGuard,
  suspect: Suspect,
  time: number | undefined,
  at: number,
): boolean {
  if (!held || !isSame(held.suspect, suspect)) return false;
  return held.until > 0 && time !== undefined ? time < held.until : at < HOLD_SECONDS * 1000;
}

/** Whether an answer is not even read: it restarted the device before it was known what it brings. */
export const isLeftUnread = (guard: OfferGuard, suspect: Suspect, time: number | undefined, at: number) =>
  guard.held?.suspect.image === "" && isHeldBack(guard, suspect, time, at);

/** The server has told the time: the day begins, or is over. */
export function dateHold(guard: OfferGuard, time: number): Guarded {
  const { held } = guard;
  if (!held) return [guard, []];
  if (held.until === 0) return keepHeld(guard, { ...held, until: time + HOLD_SECONDS });
  if (time < held.until) return [guard, []];
  return [{ ...guard, held: undefined }, [{ type: "forget", key: OFFER_HELD_KEY }]];
}

/** The server has taken the report about what is held. */
export function holdTold(guard: OfferGuard, firmwareId: number): Guarded {
  const { held } = guard;
  if (!held || held.isTold || held.suspect.firmwareId !== firmwareId) return [guard, []];
  return keepHeld(guard, { ...held, isTold: true });
}

const keepHeld = (guard: OfferGuard, held: Held): Guarded => [{ ...guard, held }, [storeHeld(held)]];

/** What is not known of one of them is taken to be the same: an answer, before it is read, is known by its length at worst. */
function isSame(a: Suspect, b: Suspect): boolean {
  if ((a.answerBytes === 0) !== (b.answerBytes === 0)) return false;
  const isUnknown = a.firmwareId === PUSHED || b.firmwareId === PUSHED;
  const isSameFirmware = isUnknown ? a.answerBytes === b.answerBytes : a.firmwareId === b.firmwareId;
  return isSameFirmware && (a.image === b.image || a.image === "" || b.image === "");
}

const isSameAnswer = (a: Suspect, b: Suspect) =>
  a.firmwareId === b.firmwareId && a.answerBytes === b.answerBytes;

// ── as stored: words with blanks between them, so that a torn or foreign one is easily told

const FORGET_NOTE: Effect = Object.freeze({ type: "forget", key: OFFER_NOTE_KEY });

const write = ({ firmwareId, answerBytes, image }: Suspect) => `${firmwareId} ${answerBytes} ${image}`;

const storeNote = ({ suspect, crashCount }: Noted, isOpen: boolean): Effect => ({
  type: "store",
  key: OFFER_NOTE_KEY,
  value: `${isOpen ? "open" : "crashed"} ${crashCount} ${write(suspect)}`,
});

const storeHeld = ({ suspect, until, isTold }: Held): Effect => ({
  type: "store",
  key: OFFER_HELD_KEY,
  value: `${isTold ? "told" : "untold"} ${until} ${write(suspect)}`,
});

function readNote(text: string | undefined): (Noted & { readonly isOpen: boolean }) | undefined {
  const [word, crashCount, suspect] = read(text);
  if (!suspect || (word !== "open" && word !== "crashed")) return undefined;
  return { isOpen: word === "open", crashCount, suspect };
}

function readHeld(text: string | undefined): Held | undefined {
  const [word, until, suspect] = read(text);
  if (!suspect || (word !== "told" && word !== "untold")) return undefined;
  return { isTold: word === "told", until, suspect };
}

function read(
  text: string | undefined,
): readonly [word: string, count: number, suspect: Suspect | undefined] {
  const match = /^([a-z]{4,7}) (\d{1,10}) (\d{1,16}) (\d{1,5}) (\S{0,16})$/.exec(text ?? "");
  const [, word = "", count, firmwareId, answerBytes, image = ""] = match ?? [];
  const suspect = { firmwareId: Number(firmwareId), answerBytes: Number(answerBytes), image };
  return [word, Number(count), match ? suspect : undefined];
}
