// Whether the leader of a system may still have this device go back to what it ran before. Answers to checks are not signed, and the owner's
// "roll back" needs the owner's token: so an answer can only undo what an answer has started, the image that was staged and committed last, and
// only for a week. Otherwise anyone between a device and its server could take it back to an older version. Rolls nothing back itself.

import { readDigits } from "../digits.js";
import type { Booted } from "../event.js";

/** NVS key: SHA-256 of the image that was committed last, a blank, until when, seconds since 1970. */
export const UNDO_KEY = "undo";
/** Longer than any leader tries. */
const UNDO_SECONDS = 7 * 86_400;
const SHA256_DIGITS = 64;
const MAX_TIME_DIGITS = 10;

/** @param time seconds since 1970, at least (timeAt in clock.ts) */
export const writeUndo = (imageSha256: string, time: number): string =>
  `${imageSha256} ${time + UNDO_SECONDS}`;

/** Until when the running image can be undone, seconds since 1970; 0: it cannot. */
export function undoUntil({ image, stored }: Pick<Booted, "image" | "stored">): number {
  const text = stored[UNDO_KEY] ?? "";
  if (text.slice(0, SHA256_DIGITS) !== image.imageSha256 || text[SHA256_DIGITS] !== " ") return 0;
  return readDigits(text.slice(SHA256_DIGITS + 1), MAX_TIME_DIGITS) ?? 0;
}
