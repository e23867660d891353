// Keeps an offer from restarting the device in an endless loop. Before an offer is verified or installed it is noted in NVS; the note is
// cleared when that has ended in any way but a crash. A boot after a crash that finds the note counts it; after three the offer is blocked
// for a day, whatever was wrong with it. All other offers stay free. It decides; the parts of an update call it.
//
//   an answer that may bring an offer ─► noted: which firmware, by its header     (before it is read)
//   an offer, a push ───────────────────► noted: which image                       (before it is verified)
//   idle again, or armed ───────────────► note cleared
//
//   booted after a crash, noted ─ the third time in a row ─► blocked until a day later by the server's time, and reported (OFFER_CRASHES)
//        └──────────────────── before that ─► counted; reset to 0 as soon as a download makes progress
//
// Flash wears: answers too short for an offer are not noted, nor those that were handled since the boot without a crash.

import type { Effect } from "../effect.js";
import type { Booted } from "../event.js";
import { endedBlamelessly } from "../identity.js";
import { intendedRestart, resetCause } from "../trial/restart-cause.js";
import { dated, type Hold, isHeld } from "./hold.js";

/** NVS keys of the note and of the block. */
export const OFFER_NOTE_KEY = "offer";
export const OFFER_BLOCK_KEY = "offer.held";
const MAX_OFFER_CRASHES = 3;
/** Longest answer that is not noted, bytes: too short for a manifest. Answers without an offer are shorter. */
export const MAX_PLAIN_ANSWER_BYTES = 512;

/** What may have caused a crash. */
export interface Suspect {
  /** The server's number; absent: it was pushed, or the number is not known. */
  readonly firmwareId: number | undefined;
  /** The end of a text that identifies the image; empty: not known yet. */
  readonly image: string;
  /** Length of the answer that contained it; 0: it was pushed. */
  readonly answerBytes: number;
}

interface Noted {
  readonly suspect: Suspect;
  /** Crashes in a row while it was noted. */
  readonly crashCount: number;
}

interface Block extends Hold {
  readonly suspect: Suspect;
  /** The server has taken the report. */
  readonly isReported: boolean;
}

export interface OfferCrashes {
  /** What is being verified or installed now. */
  readonly current: Noted | undefined;
  /** What was noted when the boot before this one ended. */
  readonly previous: Noted | undefined;
  readonly block: Block | undefined;
  /** The last answer that was handled since the boot without a crash. */
  readonly handled: Suspect | undefined;
}

export const initialOfferCrashes: OfferCrashes = Object.freeze({
  current: undefined,
  previous: undefined,
  block: undefined,
  handled: undefined,
});

export type CrashStep = readonly [OfferCrashes, readonly Effect[]];

const IMAGE_ID_CHARACTERS = 16;

/** @param imageId a hash, a signature or anything else that no other image has */
export const suspectOf = (firmwareId: number | undefined, imageId: string, answerBytes: number): Suspect => ({
  firmwareId,
  image: imageId.slice(-IMAGE_ID_CHARACTERS),
  answerBytes,
});

/** What a boot concludes from the note. A `block` that is not reported yet has to be. */
export function countAtBoot(event: Booted): CrashStep {
  const note = readNote(event.stored[OFFER_NOTE_KEY]);
  const block = readBlock(event.stored[OFFER_BLOCK_KEY]);
  const crashes: OfferCrashes = { ...initialOfferCrashes, block };
  if (!note) return [crashes, []];
  const { suspect, isOpen } = note;
  if (!isOpen) return [{ ...crashes, previous: note }, []];
  const hasCrashed = !endedBlamelessly(event.resetReason) && intendedRestart(event) === undefined;
  const crashCount = note.crashCount + (hasCrashed ? 1 : 0);
  if (crashCount >= MAX_OFFER_CRASHES) return blockOffer(crashes, suspect, event);
  if (crashCount === 0) return [crashes, [FORGET_NOTE]];
  const previous: Noted = { suspect, crashCount };
  const message = `restarted by ${resetCause(event)} over ${nameOf(suspect)}: ${crashCount} of ${MAX_OFFER_CRASHES} times`;
  return [
    { ...crashes, previous },
    [...(hasCrashed ? [{ type: "log", level: "warn", message } as const] : []), storeNote(previous, false)],
  ];
}

function blockOffer(crashes: OfferCrashes, suspect: Suspect, event: Booted): CrashStep {
  const block: Block = { suspect, until: 0, sinceMs: 0, isReported: false };
  const message = `restarted by ${resetCause(event)}: ${describeBlock(suspect)} [OFFER_CRASHES]`;
  return [
    { ...crashes, block },
    // in this order: a power cut in between leaves the note and its count
    [{ type: "log", level: "error", message }, storeBlock(block), FORGET_NOTE],
  ];
}

/** For a person. */
export const describeBlock = (suspect: Suspect): string =>
  `the device restarted ${MAX_OFFER_CRASHES} times in a row while it verified or installed ${nameOf(suspect)}, which is blocked for a day`;

function nameOf({ firmwareId, answerBytes }: Suspect): string {
  if (answerBytes === 0) return "a pushed image";
  return firmwareId === undefined
    ? `the offer in an answer of ${answerBytes} bytes`
    : `firmware ${firmwareId}`;
}

/** Before the offer can do harm. Nothing is written if it is noted already, or was handled since the boot. */
export function noteOffer(crashes: OfferCrashes, suspect: Suspect): CrashStep {
  const { current, previous, handled } = crashes;
  if (suspect.image === "" && handled && isSameAnswer(handled, suspect)) return [crashes, []];
  const known = [current, previous].find((noted) => noted !== undefined && isSame(noted.suspect, suspect));
  const next: Noted = { suspect, crashCount: known?.crashCount ?? 0 };
  return [{ ...crashes, current: next }, [storeNote(next, true)]];
}

/** It is over, and the device still runs. */
export function clearOffer(crashes: OfferCrashes): CrashStep {
  const { current } = crashes;
  if (!current) return [crashes, []];
  const handled = current.suspect.answerBytes > 0 ? current.suspect : crashes.handled;
  return [{ ...crashes, current: undefined, previous: undefined, handled }, [FORGET_NOTE]];
}

/** A download has verified another chunk: a device that gets further with each boot is not in an endless loop. */
export function noteProgress(crashes: OfferCrashes): CrashStep {
  const { current } = crashes;
  if (!current || current.crashCount === 0) return [crashes, []];
  const next: Noted = { ...current, crashCount: 0 };
  return [{ ...crashes, current: next, previous: undefined }, [storeNote(next, true)]];
}

/**
 * Whether this offer is blocked now.
 *
 * @param time the server's, seconds since 1970; undefined: not known
 * @param at milliseconds since the boot
 */
export const isBlocked = (
  { block }: OfferCrashes,
  suspect: Suspect,
  time: number | undefined,
  at: number,
): boolean => block !== undefined && isSame(block.suspect, suspect) && isHeld(block, time, at);

/** Whether an answer must not even be read: it crashed the device before its offer was known. */
export const isBlockedUnread = (
  crashes: OfferCrashes,
  suspect: Suspect,
  time: number | undefined,
  at: number,
) => crashes.block?.suspect.image === "" && isBlocked(crashes, suspect, time, at);

/** A server has answered: the day of the block begins, goes on, or is over. */
export function dateBlock(crashes: OfferCrashes, time: number | undefined, at: number): CrashStep {
  const { block } = crashes;
  if (!block) return [crashes, []];
  if (!isHeld(block, time, at))
    return [{ ...crashes, block: undefined }, [{ type: "forget", key: OFFER_BLOCK_KEY }]];
  const next = dated(block, time);
  return next === block ? [crashes, []] : keepBlock(crashes, next);
}

/** The server has taken the report about the block. */
export function blockReported(crashes: OfferCrashes, firmwareId: number): CrashStep {
  const { block } = crashes;
  if (!block || block.isReported || block.suspect.firmwareId !== firmwareId) return [crashes, []];
  return keepBlock(crashes, { ...block, isReported: true });
}

const keepBlock = (crashes: OfferCrashes, block: Block): CrashStep => [
  { ...crashes, block },
  [storeBlock(block)],
];

/** What is not known of one of them counts as equal: before it is read, an answer may be known by its length only. */
function isSame(a: Suspect, b: Suspect): boolean {
  if ((a.answerBytes === 0) !== (b.answerBytes === 0)) return false;
  const isUnknown = a.firmwareId === undefined || b.firmwareId === undefined;
  const isSameFirmware = isUnknown ? a.answerBytes === b.answerBytes : a.firmwareId === b.firmwareId;
  return isSameFirmware && (a.image === b.image || a.image === "" || b.image === "");
}

const isSameAnswer = (a: Suspect, b: Suspect) =>
  a.firmwareId === b.firmwareId && a.answerBytes === b.answerBytes;

// ── as stored: words with blanks between them, so that a torn or foreign text is easily detected

const FORGET_NOTE: Effect = Object.freeze({ type: "forget", key: OFFER_NOTE_KEY });

/** Older firmware reads a number here: 0 is that of no firmware. */
const write = ({ firmwareId = 0, answerBytes, image }: Suspect) => `${firmwareId} ${answerBytes} ${image}`;

const storeNote = ({ suspect, crashCount }: Noted, isOpen: boolean): Effect => ({
  type: "store",
  key: OFFER_NOTE_KEY,
  value: `${isOpen ? "open" : "crashed"} ${crashCount} ${write(suspect)}`,
});

const storeBlock = ({ suspect, until, isReported }: Block): Effect => ({
  type: "store",
  key: OFFER_BLOCK_KEY,
  value: `${isReported ? "told" : "untold"} ${until} ${write(suspect)}`,
});

function readNote(text: string | undefined): (Noted & { readonly isOpen: boolean }) | undefined {
  const [word, crashCount, suspect] = read(text);
  if (!suspect || (word !== "open" && word !== "crashed")) return undefined;
  return { isOpen: word === "open", crashCount, suspect };
}

function readBlock(text: string | undefined): Block | undefined {
  const [word, until, suspect] = read(text);
  if (!suspect || (word !== "told" && word !== "untold")) return undefined;
  return { isReported: word === "told", until, sinceMs: 0, suspect };
}

function read(
  text: string | undefined,
): readonly [word: string, count: number, suspect: Suspect | undefined] {
  const match = /^([a-z]{4,7}) (\d{1,10}) (\d{1,16}) (\d{1,5}) (\S{0,16})$/.exec(text ?? "");
  const [, word = "", count, firmwareId, answerBytes, image = ""] = match ?? [];
  const suspect = { firmwareId: Number(firmwareId) || undefined, answerBytes: Number(answerBytes), image };
  return [word, Number(count), match ? suspect : undefined];
}
