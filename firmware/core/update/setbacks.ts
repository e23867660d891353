// Keeps an image that cannot be installed from wearing the flash out: a bad sector would be erased again with every offer. Attempts that
// have failed are counted in NVS by their image, and by how much they say against it; at the limit the image is held back for a day (hold.ts),
// which the report of the last attempt says. Other images stay free. It decides; the parts of an update call it.
//
//   failed at the flash, or with bytes that nothing proves ── 7 ──┐
//   failed on the way, after a sector was erased ──────────── 1 ──┴─► 20 or more ─► held back ─ a day later ─► 0
//   a chunk more is right, or the image is armed ──────────────────────────────────────────────────────────────► 0

import type { Effect } from "../effect.js";
import { isOnTheWay, type UpdateErrorCode } from "../errors.js";
import { dated, type Hold, isHeld } from "./hold.js";
import type { Job } from "./job.js";

/** NVS key: points, until when by the server's time, the image. */
export const SETBACKS_KEY = "offer.failed";
/** Three attempts that failed at the flash, or twenty of five tries each that failed on the way. */
const MAX_POINTS = 20;
const FLASH_POINTS = 7;
const WAY_POINTS = 1;

export interface Setbacks extends Omit<Hold, "sinceMs"> {
  /** The end of its SHA-256; empty: none. */
  readonly image: string;
  readonly points: number;
  /** As in a hold; absent: the limit was reached since the last offer. */
  readonly sinceMs?: number;
}

export const NO_SETBACKS: Setbacks = Object.freeze({ image: "", points: 0, until: 0 });

export type SetbackStep = readonly [Setbacks, readonly Effect[]];

const IMAGE_ID_CHARACTERS = 16;

const idOf = (imageSha256: string): string => imageSha256.slice(-IMAGE_ID_CHARACTERS);

export function readSetbacks(text: string | undefined): Setbacks {
  const [, points, until, image] = /^(\d{1,3}) (\d{1,10}) ([0-9a-f]{16})$/.exec(text ?? "") ?? [];
  return image === undefined
    ? NO_SETBACKS
    : { image, points: Number(points), until: Number(until), sinceMs: 0 };
}

/** An image was right when it was staged, and cannot be started: as bad as a failure at the flash. */
export const noteFlashFailure = (setbacks: Setbacks, imageSha256: string): SetbackStep =>
  notePoints(setbacks, imageSha256, FLASH_POINTS);

/** An attempt has failed, and may be made again. */
export function noteSetback(setbacks: Setbacks, job: Job, code: UpdateErrorCode): SetbackStep {
  const added = isOnTheWay(code) ? (job.erasedTo > job.verifiedBytes ? WAY_POINTS : 0) : FLASH_POINTS;
  if (added === 0 || job.source.kind === "push") return [setbacks, NOTHING];
  return notePoints(setbacks, job.release.imageSha256, added);
}

function notePoints(setbacks: Setbacks, imageSha256: string, added: number): SetbackStep {
  const image = idOf(imageSha256);
  const before = setbacks.image === image ? setbacks.points : 0;
  const next: Setbacks = { image, points: Math.min(before + added, MAX_POINTS), until: 0 };
  return [next, [store(next)]];
}

export const isAtLimit = ({ points }: Setbacks): boolean => points >= MAX_POINTS;

/** For a person. */
export const HELD_BACK = "it has failed too often, and is held back for a day";

/** Whether this image is held back now; its day begins with the first offer. */
export function holdBack(
  setbacks: Setbacks,
  imageSha256: string,
  time: number | undefined,
  at: number,
): readonly [...SetbackStep, isHeldBack: boolean] {
  if (!isAtLimit(setbacks) || setbacks.image !== idOf(imageSha256)) return [setbacks, NOTHING, false];
  const begun = { ...setbacks, sinceMs: setbacks.sinceMs ?? at };
  if (!isHeld(begun, time, at)) return [NO_SETBACKS, [FORGET], false];
  const next = dated(begun, time);
  return [next, next.until === setbacks.until ? NOTHING : [store(next)], true];
}

/** The image gets on. */
export const clearSetbacks = (setbacks: Setbacks): SetbackStep =>
  setbacks.points === 0 ? [setbacks, NOTHING] : [NO_SETBACKS, [FORGET]];

const NOTHING: readonly Effect[] = Object.freeze([]);
const FORGET: Effect = Object.freeze({ type: "forget", key: SETBACKS_KEY });

const store = ({ points, until, image }: Setbacks): Effect => ({
  type: "store",
  key: SETBACKS_KEY,
  value: `${points} ${until} ${image}`,
});
