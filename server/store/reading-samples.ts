// What the store remembers of the readings of devices' sensors over time.

import type { Readings } from "../../firmware/core/wire.js";

export interface ReadingSample {
  readonly time: number;
  readonly readings: Readings;
  /** dBm. */
  readonly rssi: number | null;
}

/** Samples of one kind: one an hour, or one a day. */
export type SampleKind = "hourly" | "daily";

export interface ReadingSampleStore {
  /**
   * Samples what devices that were seen since then have read last, in the order of their ids, at most `limit` of them. A second sample of the same
   * time changes nothing. @returns the last id; `undefined`: there are no more
   */
  sampleReadings(
    kind: SampleKind,
    time: number,
    from: { readonly seenSince: number; readonly after: string; readonly limit: number },
  ): Promise<string | undefined>;
  /** Time of the newest hourly one. */
  findLastReadingTime(): Promise<number | undefined>;
  countReadingSamples(): Promise<number>;
  /** Of a device from a time on, the oldest first. */
  listReadingSamples(kind: SampleKind, deviceId: string, since: number): Promise<readonly ReadingSample[]>;
  /** Removes those of before, the oldest first. Returns how many: 0 is the end. */
  pruneReadingSamples(
    kind: SampleKind,
    bounds: { readonly before: number; readonly limit: number },
  ): Promise<number>;
}
