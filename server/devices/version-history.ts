// Remembers once an hour how many devices run which version, so that a page can show how a release spreads.

import type { Recorder } from "../events/journal.js";

const HOUR_MS = 60 * 60_000;
export const DAY_MS = 24 * HOUR_MS;
/** How long hourly samples are kept; of older ones, one a day is. */
export const HOURLY_MS = 14 * DAY_MS;
export const DAILY_MS = 2 * 365 * DAY_MS;

/** Called every few seconds; does something once an hour. Of several servers any may do it, twice is as good as once. */
export async function sampleFleet({ store, now }: Pick<Recorder, "store" | "now">): Promise<void> {
  const hour = now() - (now() % HOUR_MS);
  if ((await store.findLastSampleTime()) === hour) return;
  await store.sampleVersions(hour);
  await store.pruneVersionSamples({ thinBefore: hour - HOURLY_MS, removeBefore: hour - DAILY_MS });
}
