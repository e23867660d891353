// What was in the air, by kind, counted from the first byte of each frame; and in how many parts an image is broadcast.

import type { EspNowAir } from "../network/espnow-air.js";

/** Bytes of an image in one part, and in one chunk: firmware/core/radio/block-code.ts and the manifest's default. */
const PART_BYTES = 224;

/** First bytes of frames, up to and including `last`: firmware/core/radio and core/pair. */
const KINDS: readonly (readonly [name: string, first: number, last: number])[] = Object.freeze([
  ["data", 0x01, 0x03],
  ["versions", 0x10, 0x12],
  ["exchange", 0x20, 0x27],
  ["beacons", 0x28, 0x2f],
  ["announcements", 0x30, 0x30],
  ["parity", 0x31, 0x31],
  ["requests", 0x32, 0x37],
  ["parts", 0x38, 0x3f],
]);

/** Frames by kind; each try of one counts. */
export function framesByKind(air: EspNowAir): Readonly<Record<string, number>> {
  const counted = new Map<string, number>();
  for (const [type, count] of air.counts) {
    const kind = KINDS.find(([, first, last]) => type >= first && type <= last)?.[0] ?? "others";
    counted.set(kind, (counted.get(kind) ?? 0) + count);
  }
  return Object.fromEntries(counted);
}

/** Frames by which images are broadcast: all that the blocks cost, requests for them too. */
export function blockFrames(air: EspNowAir): number {
  let sum = 0;
  for (const [type, count] of air.counts) if (type >= 0x30 && type <= 0x3f) sum += count;
  return sum;
}

/** Of an image: each chunk is a block of its own, and its last part may be short. */
export function sourceParts(imageBytes: number, chunkBytes: number): number {
  const whole = Math.floor(imageBytes / chunkBytes);
  return whole * Math.ceil(chunkBytes / PART_BYTES) + Math.ceil((imageBytes % chunkBytes) / PART_BYTES);
}
