// What a server does besides answering requests: removes log lines, orders and attempts that are too old, and unreferenced files. In
// small pieces with pauses between, so that no request waits for it. Where several servers share a store each may do it.

import { setTimeout as sleep } from "node:timers/promises";
import type { BlobStore } from "./blobs/blobs.js";
import { REGISTERING } from "./releases/add-release.js";
import type { Store } from "./store/store.js";

export interface Retention {
  /** Lines of the log, and orders to devices. */
  readonly eventMaxAgeMs: number;
  readonly eventMaxCount: number;
  /** Attempts whose device has succeeded with another since. */
  readonly attemptMaxAgeMs: number;
}

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_RETENTION: Retention = Object.freeze({
  eventMaxAgeMs: 365 * DAY_MS,
  eventMaxCount: 1_000_000,
  attemptMaxAgeMs: 2 * 365 * DAY_MS,
});

const INTERVAL_MS = HOUR_MS;
/** Rows removed at once, and the pause before the next batch. */
const BATCH_COUNT = 500;
const PAUSE_MS = 20;
/** How long an unfinished upload may stay unchanged. */
const UNFINISHED_MS = HOUR_MS;
/** How long a file may wait for its registration. */
const UNUSED_MS = DAY_MS;

interface UpkeepOptions {
  readonly store: Store;
  readonly blobs: BlobStore;
  readonly retention: Retention;
  /** Milliseconds since 1970, as the records have it. */
  readonly now: () => number;
  readonly onTrouble: (error: unknown) => void;
}

/** Begins at once and does it again every hour. Returns what ends it, after the piece that is under way. */
export function startUpkeep(options: UpkeepOptions): () => Promise<void> {
  const ended = new AbortController();
  const run = async () => {
    while (!ended.signal.aborted) {
      await keepUp(options, ended.signal).catch((error) => ended.signal.aborted || options.onTrouble(error));
      await sleep(INTERVAL_MS, undefined, { ref: false, signal: ended.signal }).catch(() => {});
    }
  };
  const running = run();
  return async () => {
    ended.abort();
    await running;
  };
}

/** Once. */
export async function keepUp(
  { store, blobs, retention, now }: Omit<UpkeepOptions, "onTrouble">,
  signal?: AbortSignal,
): Promise<void> {
  const { eventMaxAgeMs, eventMaxCount, attemptMaxAgeMs } = retention;
  const prunes = [
    () => store.pruneEvents({ before: now() - eventMaxAgeMs, maxCount: eventMaxCount, limit: BATCH_COUNT }),
    () => store.pruneOrders({ before: now() - eventMaxAgeMs, limit: BATCH_COUNT }),
    () => store.pruneUpdates({ before: now() - attemptMaxAgeMs, limit: BATCH_COUNT }),
  ];
  for (const prune of prunes) {
    while (!signal?.aborted && (await prune()) > 0) await sleep(PAUSE_MS);
  }
  if (signal?.aborted) return;
  // Files have the time of the machine.
  await blobs.forgetUnfinished(Date.now() - UNFINISHED_MS);
  await removeUnusedBlobs({ store, blobs }, Date.now() - UNUSED_MS, signal);
}

/** Removes the blobs stored before a time that no record refers to. Returns how many. */
export async function removeUnusedBlobs(
  { store, blobs }: Pick<UpkeepOptions, "store" | "blobs">,
  before: number,
  signal?: AbortSignal,
): Promise<number> {
  let removedCount = 0;
  let batch: string[] = [];
  const removeUnused = async () => {
    const used = await store.findUsedBlobs(batch);
    const unused = batch.filter((sha256) => !used.has(sha256));
    batch = [];
    if (unused.length === 0) return;
    await store.exclusive(REGISTERING, async (confirm) => {
      const usedNow = await store.findUsedBlobs(unused);
      for (const sha256 of unused) {
        if (usedNow.has(sha256)) continue;
        await confirm();
        await blobs.remove(sha256);
        removedCount++;
      }
    });
  };
  for await (const { sha256, storedAt } of blobs.list()) {
    if (signal?.aborted) return removedCount;
    if (storedAt < before) batch.push(sha256);
    if (batch.length >= BATCH_COUNT) await removeUnused();
  }
  await removeUnused();
  return removedCount;
}
