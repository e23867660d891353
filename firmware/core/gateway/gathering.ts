// The time between the first node that asks for an image and its first block: a node that asks later needs blocks sent once more, so it is worth
// waiting for those who are known to want it. Meanwhile the others are told now and then that the image comes. Pure; knows no node.
//
//   a node asks ─► gathering ─┬─ another asks ─► the quiet begins anew
//                             └─ quiet, and nobody is awaited; or too long ─► the first block

/** Nobody has asked for so long: each node that meant to ask at once has done so. */
const QUIET_MS = 8_000;
/** In all, if nobody is known who has not asked yet. */
const MAX_MS = 45_000;
/** In all, for those who are known: their next check is due within two minutes, a tenth more, and may fail. */
const MAX_AWAITED_MS = 150_000;
/** Between two announcements. A node that misses five of them in a row begins anew. */
const ANNOUNCE_MS = 5_000;
/** Said in an announcement: for so long nobody need ask for blocks. Longer than two of them are apart, because one may be lost. */
export const WAIT_SECONDS = 11;

export interface Gathering {
  readonly sinceMs: number;
  /** When the last node has asked. */
  readonly askedMs: number;
  readonly announcedMs: number;
  /** Where the first of them begins: a byte of the image. */
  readonly offset: number;
}

/** A node asks for the image from `offset` on. */
export const gathered = (before: Gathering | undefined, offset: number, at: number): Gathering =>
  before
    ? { ...before, askedMs: at, offset: Math.min(before.offset, offset) }
    : { sinceMs: at, askedMs: at, announcedMs: at - ANNOUNCE_MS, offset };

/** Whether the image begins now. @param isAwaited somebody is known to want it who has not asked */
export const isGathered = ({ sinceMs, askedMs }: Gathering, isAwaited: boolean, at: number): boolean =>
  isAwaited ? at - sinceMs >= MAX_AWAITED_MS : at - askedMs >= QUIET_MS || at - sinceMs >= MAX_MS;

/** Whether it is time to announce the image. */
export const isAnnouncing = ({ announcedMs }: Gathering, at: number, everyMs = ANNOUNCE_MS): boolean =>
  at - announcedMs >= everyMs;
/** As an answer to somebody who asks for blocks. */
export const LEAST_ANNOUNCE_MS = 1_000;

/** Until the next look, ms. */
export const nextLookMs = ({ askedMs, announcedMs }: Gathering, at: number): number =>
  Math.max(LEAST_MS, Math.min(announcedMs + ANNOUNCE_MS, askedMs + QUIET_MS) - at);
const LEAST_MS = 500;
