// Remembers once an hour what the sensors of devices said last, so that a device's page can show a curve: an hour apart for three days, then one a
// day for a year. However many devices there are, no more than two million samples are kept: then the oldest go first.

import type { Recorder } from "../events/journal.js";

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
/** How long hourly samples are kept; after that one a day is, of midnight (UTC). */
export const HOURLY_READINGS_MS = 3 * DAY_MS;
export const DAILY_READINGS_MS = 365 * DAY_MS;
/** Some 200 MB. */
const MAX_SAMPLE_COUNT = 2_000_000;
/** Devices of one statement, and samples that one removes: some milliseconds. */
const PART_COUNT = 500;
/** A panel that sleeps for half an hour has a sample of each hour. */
const SEEN_WITHIN_MS = HOUR_MS;

type Sampler = Pick<Recorder, "store" | "now">;

/** Called every few seconds; does something once an hour. Of several servers any may do it, twice is as good as once. */
export function readingSampler(sampler: Sampler, maxCount = MAX_SAMPLE_COUNT): () => Promise<void> {
  // without sensors there are no samples by which to know it
  let sampled: number | undefined;
  return async () => {
    const hour = sampler.now() - (sampler.now() % HOUR_MS);
    if (sampled === hour) return;
    sampled = hour;
    if ((await sampler.store.findLastReadingTime()) !== hour) await sample(sampler, hour, maxCount);
  };
}

async function sample({ store, now }: Sampler, hour: number, maxCount: number): Promise<void> {
  const seenSince = now() - SEEN_WITHIN_MS;
  for (const kind of hour % DAY_MS === 0 ? (["hourly", "daily"] as const) : (["hourly"] as const)) {
    let after: string | undefined = "";
    while (after !== undefined)
      after = await store.sampleReadings(kind, hour, { seenSince, after, limit: PART_COUNT });
  }
  await pruneAll(store, "hourly", hour - HOURLY_READINGS_MS);
  await pruneAll(store, "daily", hour - DAILY_READINGS_MS);
  let excess = (await store.countReadingSamples()) - maxCount;
  for (const kind of ["daily", "hourly"] as const)
    while (excess > 0) {
      const limit = Math.min(excess, PART_COUNT);
      const count = await store.pruneReadingSamples(kind, { before: hour, limit });
      if (count === 0) break;
      excess -= count;
    }
}

async function pruneAll(store: Sampler["store"], kind: "hourly" | "daily", before: number): Promise<void> {
  while ((await store.pruneReadingSamples(kind, { before, limit: PART_COUNT })) > 0);
}
