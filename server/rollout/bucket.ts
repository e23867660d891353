// Where a device stands in a rollout, by a stable hash: the same device and seed give the same number on every server, and another
// seed shuffles the fleet anew. A device within 10 % is within 20 % too.

import { createHash } from "node:crypto";

/** A hundredth of a percent. */
const BUCKET_COUNT = 10_000;

/** 0 to 9999, the same for ever. */
export function bucketOf(seed: string, deviceId: string): number {
  const digest = createHash("sha256").update(`${seed}:${deviceId}`).digest();
  return Math.floor((digest.readUInt32BE(0) / 2 ** 32) * BUCKET_COUNT);
}

/** Whether a device is among the first `percent` of a hundred. */
export const isWithin = (seed: string, deviceId: string, percent: number): boolean =>
  bucketOf(seed, deviceId) < (percent / 100) * BUCKET_COUNT;
