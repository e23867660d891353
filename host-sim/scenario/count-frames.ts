// What was in the air, by kind, counted from the first byte of each frame; how much of it while images were on their way; and in how many parts
// an image is broadcast.

import type { AirFrame, EspNowAir } from "../network/espnow-air.js";

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

export type FrameCounts = Readonly<Record<string, number>>;

/** Frames by kind; each try of one counts. */
export function framesByKind(counts: ReadonlyMap<number, number>): FrameCounts {
  const counted = new Map<string, number>();
  for (const [type, count] of counts) {
    const kind = kindOf(type);
    counted.set(kind, (counted.get(kind) ?? 0) + count);
  }
  return Object.fromEntries(counted);
}

const kindOf = (type: number): string =>
  KINDS.find(([, first, last]) => type >= first && type <= last)?.[0] ?? "others";

export const sumOf = (counts: FrameCounts): number =>
  Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Those that bring blocks, and ask for them. */
const BLOCK_KINDS: readonly string[] = Object.freeze(["announcements", "parity", "requests", "parts"]);

export const ofBlocks = (counts: FrameCounts): number =>
  BLOCK_KINDS.reduce((sum, kind) => sum + (counts[kind] ?? 0), 0);

/**
 * Looks at the air from the first part of an image to the last: behind that one nobody gets anything more of it. Frames of all devices and of
 * all kinds in between count, whatever they are about.
 */
export class TransferCount {
  readonly #air: EspNowAir;
  readonly #nowMs: () => number;
  #before: FrameCounts | undefined;
  #until: FrameCounts = {};
  #fromMs = 0;
  #toMs = 0;

  constructor(air: EspNowAir, nowMs: () => number) {
    this.#air = air;
    this.#nowMs = nowMs;
    air.observers.add((frame) => this.#see(frame));
  }

  /** Frames in that time, by kind. */
  get frames(): FrameCounts {
    const before = this.#before ?? {};
    const kinds = Object.entries(this.#until).map(([kind, count]) => [kind, count - (before[kind] ?? 0)]);
    return Object.fromEntries(kinds.filter(([, count]) => count !== 0));
  }

  get seconds(): number {
    return (this.#toMs - this.#fromMs) / 1000;
  }

  /** The air has counted this frame already. */
  #see({ bytes }: AirFrame): void {
    const kind = kindOf(bytes[0]!);
    if (kind !== "parts" && kind !== "parity") return;
    const counts = framesByKind(this.#air.counts);
    this.#until = counts;
    this.#toMs = this.#nowMs();
    if (this.#before) return;
    this.#before = { ...counts, [kind]: (counts[kind] ?? 0) - 1 };
    this.#fromMs = this.#toMs;
  }
}

/** Of an image: each chunk is a block of its own, and its last part may be short. */
export function sourceParts(imageBytes: number, chunkBytes: number): number {
  const whole = Math.floor(imageBytes / chunkBytes);
  return whole * Math.ceil(chunkBytes / PART_BYTES) + Math.ceil((imageBytes % chunkBytes) / PART_BYTES);
}
