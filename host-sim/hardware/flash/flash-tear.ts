// What a NOR chip holds when power fails inside an operation. Never kinder than the chip: a program command works on all bytes of
// its page at once, and an erase first programs the sector to zeros, so any bit under way may read either way.
//
//   byte    ████████▓........   bytes before it are programmed, of this one some bits
//   page    ████▓▓▓▓........    pages before are programmed, of this one some bits of any byte
//   erase   step 1 to 16, the further the more; mixed: single bits · swept: from the start on · zeroed: by way of zeros ·
//           uneven: of a block, each sector by itself is as it was, erased, or on its way

import { BLOCK_BYTES, type FlashOperation, PAGE_BYTES, SECTOR_BYTES, WORD_BYTES } from "./flash-operation.js";

/** Points inside an erase at which it may be interrupted. */
export const ERASE_STEPS = 16;
const SECTOR_PATTERNS = Object.freeze(["mixed", "swept", "zeroed"] as const);
const BLOCK_PATTERNS = Object.freeze([...SECTOR_PATTERNS, "uneven"] as const);
export type ErasePattern = (typeof BLOCK_PATTERNS)[number];

/** What an interrupted erase may leave. */
export const erasePatternsOf = ({ length }: Pick<FlashOperation, "length">): readonly ErasePattern[] =>
  length === BLOCK_BYTES ? BLOCK_PATTERNS : SECTOR_PATTERNS;

/** Where inside an operation power fails. An index counts bytes of the write. */
export type Tear =
  | { readonly kind: "byte" | "page"; readonly index: number }
  | { readonly kind: "erase"; readonly step: number; readonly pattern: ErasePattern };

/** Does to the flash's contents what the interrupted operation has done. @param random in [0, 1) */
export function tearOperation(
  contents: Uint8Array,
  operation: FlashOperation,
  tear: Tear,
  random: () => number,
): void {
  if (tear.kind === "erase") {
    const range = contents.subarray(operation.offset, operation.offset + operation.length);
    PATTERNS[tear.pattern](range, tear.step / (ERASE_STEPS + 1), random);
    return;
  }
  const { offset, bytes } = operation;
  const [start, end] =
    tear.kind === "byte" ? [tear.index, tear.index + 1] : pageAround(operation, tear.index);
  for (let index = 0; index < start; index += 1) contents[offset + index]! &= bytes[index]!;
  for (let index = start; index < end; index += 1) {
    contents[offset + index]! &= bytes[index]! | someBits(random, 0.5);
  }
}

/** Any tear of an operation, at the unit at `position` of a write. */
export function drawTear(operation: FlashOperation, random: () => number, position: number): Tear {
  const below = (count: number): number => Math.floor(random() * count);
  if (operation.kind === "erase") {
    const patterns = erasePatternsOf(operation);
    return { kind: "erase", step: 1 + below(ERASE_STEPS), pattern: patterns[below(patterns.length)]! };
  }
  const index = position + below(Math.min(WORD_BYTES, operation.length - position));
  return { kind: random() < 0.5 ? "byte" : "page", index };
}

/** The bytes of a write in the same page of the chip as this one. */
function pageAround({ offset, length }: FlashOperation, index: number): [start: number, end: number] {
  const pageStart = Math.floor((offset + index) / PAGE_BYTES) * PAGE_BYTES - offset;
  return [Math.max(0, pageStart), Math.min(length, pageStart + PAGE_BYTES)];
}

type Pattern = (range: Uint8Array, progress: number, random: () => number) => void;

/** Width of the border between what a sweep has erased and what it has not. */
const BORDER_BYTES = 64;

const PATTERNS: Readonly<Record<ErasePattern, Pattern>> = Object.freeze({
  mixed(range: Uint8Array, progress: number, random: () => number) {
    for (let at = 0; at < range.length; at += 1) range[at]! |= someBits(random, progress);
  },
  swept(range: Uint8Array, progress: number, random: () => number) {
    const border = Math.floor(progress * range.length);
    range.fill(0xff, 0, border);
    const end = Math.min(range.length, border + BORDER_BYTES);
    for (let at = border; at < end; at += 1) range[at]! |= someBits(random, 0.5);
  },
  zeroed(range: Uint8Array, progress: number, random: () => number) {
    for (let at = 0; at < range.length; at += 1) {
      if (progress < 0.5) range[at]! &= ~someBits(random, 2 * progress);
      else range[at] = someBits(random, 2 * progress - 1);
    }
  },
  uneven(range: Uint8Array, progress: number, random: () => number) {
    for (let start = 0; start < range.length; start += SECTOR_BYTES) {
      const sector = range.subarray(start, start + SECTOR_BYTES);
      const fate = random();
      if (fate < progress / 2) sector.fill(0xff);
      else if (fate < progress) PATTERNS.zeroed(sector, random(), random);
    }
  },
});

/** A byte whose bits are each set with this probability. */
function someBits(random: () => number, probability: number): number {
  let bits = 0;
  for (let bit = 1; bit < 256; bit <<= 1) if (random() < probability) bits |= bit;
  return bits;
}
