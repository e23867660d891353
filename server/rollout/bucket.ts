// The position of a device in a rollout, by a stable hash: the same device and seed give the same number on every server, and another
// seed shuffles the fleet again. A device within 10 % is within 20 % too.

import { hash } from "node:crypto";

/** A hundredth of a percent. */
const BUCKET_COUNT = 10_000;

/** 0 to 9999, always the same. */
export function bucketOf(seed: string, deviceId: string): number {
  const first = Number.parseInt(hash("sha256", `${seed}:${deviceId}`).slice(0, 8), 16);
  return Math.floor((first / 2 ** 32) * BUCKET_COUNT);
}

/** Whether a bucket is among the first `percent` of a hundred. */
export const isWithin = (bucket: number, percent: number): boolean => bucket < (percent / 100) * BUCKET_COUNT;
