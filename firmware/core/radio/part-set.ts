// Sets of parts of a block as words of 32 bits, in values that do not change: what a sender has still to send, and what somebody lacks. Pure.

import { bitCount, lowestBit, PART_SET_BYTES, PART_SET_WORDS, subsetWord, wordMask } from "./block-code.js";

/** Words; bit 0 of the first is part 0. */
export type PartSet = readonly number[];

export const NO_PARTS: PartSet = Object.freeze([0, 0, 0]);

export const allParts = (partCount: number): PartSet => [
  wordMask(0, partCount),
  wordMask(1, partCount),
  wordMask(2, partCount),
];

/** The lowest part; −1: there is none. */
export const firstOf = (words: PartSet): number => {
  for (let word = 0; word < PART_SET_WORDS; word++)
    if (words[word] !== 0) return 32 * word + lowestBit(words[word]!);
  return -1;
};

export const sizeOf = (words: PartSet): number => words.reduce((sum, word) => sum + bitCount(word), 0);

export const toggled = (words: PartSet, part: number): PartSet =>
  words.map((word, i) => (i === part >> 5 ? word ^ (1 << (part & 31)) : word));

/** At most so many parts of a set, from one of them on, so that all have their turn. */
export function someOf(words: PartSet, maxCount: number, from: number): PartSet {
  let chosen = NO_PARTS;
  let count = 0;
  for (let i = 0; i < 32 * PART_SET_WORDS && count < maxCount; i++) {
    const part = (from + i) % (32 * PART_SET_WORDS);
    if (((words[part >> 5]! >> (part & 31)) & 1) === 0) continue;
    chosen = toggled(chosen, part);
    count += 1;
  }
  return chosen;
}

/** As CombineParts takes it. */
export function bytesOf(words: PartSet): Uint8Array {
  const bytes = new Uint8Array(PART_SET_BYTES);
  for (let i = 0; i < PART_SET_BYTES; i++) bytes[i] = words[i >> 2]! >> (8 * (i & 3));
  return bytes;
}

/** The parts that a parity is made of: see subsetWord. */
export const subsetOf = (seed: number, partCount: number): PartSet => [
  subsetWord(seed, 0, partCount),
  subsetWord(seed, 1, partCount),
  subsetWord(seed, 2, partCount),
];
