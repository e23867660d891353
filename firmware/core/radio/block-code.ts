// The code that repairs lost parts of a block: systematic, over GF(2). A block is sent as it is, in parts; a parity is the XOR of about half
// of its parts, chosen by a number in its frame, so that both sides know which. A node that misses n parts needs n parities that are
// independent of each other, some two more than n as they come, and it does not matter which parts are missing. This file decides what is
// to be combined; the bytes are combined natively (CombineParts), since a loop over them costs too much in JavaScript.
//
//   parity j  =  XOR of the parts in subset(j)
//
//              part   0 1 2 3 4 5 …          unknown: the parts that are missing; all others are in the flash
//   equation       ┌ 0 1 1 0 1 0 … │ combination of parities (bit k: the k-th that is kept)
//   equation       └ 1 0 0 0 0 1 … │ …
//
// Equations are kept reduced: each has an unknown of its own that no other one has (Gauss and Jordan). When there are as many of them as
// unknowns, each says how a missing part comes about: the parities of its combination, XOR the known parts that it names. A parity's
// bytes therefore stay as they came until then: only bits are worked on, at most 31 rows of four words for each frame.
//
// A parity that is not what it says spoils the block: its digest tells, and the block is fetched again.

/** Of an image, by its signed chunks. */
export const BLOCK_BYTES = 16_384;
/** Of a block that go in one frame. A multiple of 16, as encrypted flash is written. */
export const PART_BYTES = 224;
/** 73 of 224 bytes and one of 32. */
export const PARTS_A_BLOCK = Math.ceil(BLOCK_BYTES / PART_BYTES);
/** A set of parts, one bit each, as bytes: bit 0 of byte 0 is part 0. */
export const PART_SET_BYTES = Math.ceil(PARTS_A_BLOCK / 8);
/** The same as 32-bit words. */
export const PART_SET_WORDS = Math.ceil(PARTS_A_BLOCK / 32);

/**
 * Parities that are kept, and so the parts that can be repaired at once. With their equations and what XS needs to hold them they take less
 * than 8 KiB; a combination fits a small integer of XS.
 */
export const MAX_ROWS = 31;

/** Of an equation: the parts, the combination, and the part that is its own. */
const ROW_WORDS = PART_SET_WORDS + 2;
const COMBINATION = PART_SET_WORDS;
const OWN_PART = PART_SET_WORDS + 1;

/** Parts of a block with so many bytes. */
export const partCountOf = (blockBytes: number): number => Math.ceil(blockBytes / PART_BYTES);

/** Bytes of a part of such a block: all parts but the last are full. */
export const partLength = (blockBytes: number, part: number): number =>
  Math.min(PART_BYTES, blockBytes - part * PART_BYTES);

/**
 * One word of the set of parts that a parity is made of.
 * @param seed 0 to 65535, from the parity's frame
 * @param word 0 to PART_SET_WORDS − 1
 */
export function subsetWord(seed: number, word: number, partCount: number): number {
  const bits = mixed(seed, word) & wordMask(word, partCount);
  return bits === 0 && isSubsetEmpty(seed, partCount) ? wordMask(word, partCount) : bits;
}

/** Such a parity would tell nothing: it is the XOR of all parts instead. Only happens with few parts. */
function isSubsetEmpty(seed: number, partCount: number): boolean {
  for (let word = 0; word < PART_SET_WORDS; word++) {
    if ((mixed(seed, word) & wordMask(word, partCount)) !== 0) return false;
  }
  return true;
}

/** The finalizer of MurmurHash3 (Austin Appleby, public domain): 32-bit integers only, so that every engine agrees. */
function mixed(seed: number, word: number): number {
  let value = Math.imul(seed * PART_SET_WORDS + word + 1, 0x9e3779b1 | 0);
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b | 0);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35 | 0);
  return value ^ (value >>> 16);
}

/** The bits of a word that stand for parts of the block. */
export function wordMask(word: number, partCount: number): number {
  const count = partCount - 32 * word;
  return count >= 32 ? -1 : count <= 0 ? 0 : (1 << count) - 1;
}

/** Number of bits that are set in a word. */
export function bitCount(word: number): number {
  let value = word - ((word >>> 1) & 0x55555555);
  value = (value & 0x33333333) + ((value >>> 2) & 0x33333333);
  return Math.imul((value + (value >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

/** Index of the lowest bit that is set, of a word that is not 0. */
export const lowestBit = (word: number): number => 31 - Math.clz32(word & -word);

/**
 * What a device has of one block. It is changed in place: it is by far the largest thing that a transfer holds, and exists once.
 */
export interface Decoder {
  readonly partCount: number;
  /** Bytes of the parities that are kept, one behind the other. */
  readonly parities: Uint8Array;
  /** First the words of the parts that are in the flash, then the equations, ROW_WORDS each. */
  readonly words: Int32Array;
  /** Equations that are independent of each other. */
  rank: number;
  /** Places in `parities` that are taken, one bit each. */
  taken: number;
  missingCount: number;
}

export const newDecoder = (partCount: number): Decoder => ({
  partCount,
  parities: new Uint8Array(MAX_ROWS * PART_BYTES),
  words: new Int32Array(PART_SET_WORDS + MAX_ROWS * ROW_WORDS),
  rank: 0,
  taken: 0,
  missingCount: partCount,
});

/** Begins another block in the same memory. */
export function resetDecoder(decoder: Decoder, partCount: number): Decoder {
  decoder.words.fill(0);
  return { ...decoder, partCount, rank: 0, taken: 0, missingCount: partCount };
}

export const isKnown = ({ words }: Decoder, part: number): boolean =>
  ((words[part >> 5]! >> (part & 31)) & 1) === 1;

/** How many more independent parities, or missing parts, are needed. */
export const deficitOf = ({ missingCount, rank }: Decoder): number => missingCount - rank;

/** A part is in the flash now. Returns whether that is news. */
export function addPart(decoder: Decoder, part: number): boolean {
  if (part < 0 || part >= decoder.partCount || isKnown(decoder, part)) return false;
  const { words } = decoder;
  words[part >> 5]! |= 1 << (part & 31);
  decoder.missingCount -= 1;
  for (let row = 0; row < decoder.rank; row++) {
    if (words[wordsOf(row) + OWN_PART] === part) {
      giveOwnPart(decoder, row);
      break;
    }
  }
  return true;
}

/**
 * Takes a parity. Returns whether it helps: not if it is a combination of what is there already, or MAX_ROWS are kept.
 * @param bytes PART_BYTES; copied
 */
export function addParity(decoder: Decoder, seed: number, bytes: Uint8Array): boolean {
  const { words, partCount, rank } = decoder;
  if (rank >= MAX_ROWS || deficitOf(decoder) === 0) return false;
  const place = lowestBit(~decoder.taken);
  const at = wordsOf(rank);
  for (let word = 0; word < PART_SET_WORDS; word++) words[at + word] = subsetWord(seed, word, partCount);
  words[at + COMBINATION] = 1 << place;
  for (let row = 0; row < rank; row++) {
    const own = words[wordsOf(row) + OWN_PART]!;
    if (hasPart(words, at, own)) addRow(words, at, wordsOf(row));
  }
  const own = unknownPart(words, at);
  if (own < 0) return false;
  decoder.parities.set(bytes, place * PART_BYTES);
  decoder.taken |= 1 << place;
  decoder.rank += 1;
  makeOwn(decoder, rank, own);
  return true;
}

/** Of the equation `row`, once nothing is missing in rank: the part, the known parts to combine (into `parts`), and the parities. */
export function repairOf(
  { words }: Decoder,
  row: number,
  parts: Uint8Array,
): { readonly part: number; readonly combination: number } {
  const at = wordsOf(row);
  const part = words[at + OWN_PART]!;
  putWords(words, at, parts);
  parts[part >> 3]! ^= 1 << (part & 7);
  return { part, combination: words[at + COMBINATION]! };
}

/** The parts that are in the flash, or that its equations give once all others are: as many others are missing as it lacks. */
export const settledParts = ({ words, rank }: Decoder): Uint8Array => {
  const bytes = new Uint8Array(PART_SET_BYTES);
  putWords(words, 0, bytes);
  for (let row = 0; row < rank; row++) {
    const own = words[wordsOf(row) + OWN_PART]!;
    bytes[own >> 3]! |= 1 << (own & 7);
  }
  return bytes;
};

/** How many more parities it can keep. */
export const roomOf = ({ rank }: Decoder): number => MAX_ROWS - rank;

/** Words of a set of parts, from its bytes. */
export const wordOf = (bytes: Uint8Array, word: number): number => {
  const at = 4 * word;
  return (
    (bytes[at] ?? 0) |
    ((bytes[at + 1] ?? 0) << 8) |
    ((bytes[at + 2] ?? 0) << 16) |
    ((bytes[at + 3] ?? 0) << 24)
  );
};

function putWords(words: Int32Array, at: number, bytes: Uint8Array): void {
  for (let i = 0; i < bytes.length; i++) bytes[i] = words[at + (i >> 2)]! >> (8 * (i & 3));
}

/** Where the words of an equation begin. */
const wordsOf = (row: number): number => PART_SET_WORDS + row * ROW_WORDS;

const hasPart = (words: Int32Array, at: number, part: number): boolean =>
  ((words[at + (part >> 5)]! >> (part & 31)) & 1) === 1;

/** Adds one equation to another, in GF(2). */
function addRow(words: Int32Array, to: number, from: number): void {
  for (let word = 0; word <= COMBINATION; word++) words[to + word]! ^= words[from + word]!;
}

/** The first part of an equation that is missing; −1: none is. */
function unknownPart(words: Int32Array, at: number): number {
  for (let word = 0; word < PART_SET_WORDS; word++) {
    const unknown = words[at + word]! & ~words[word]!;
    if (unknown !== 0) return 32 * word + lowestBit(unknown);
  }
  return -1;
}

/** The part becomes the equation's own: no other one has it from now on. */
function makeOwn({ words, rank }: Decoder, row: number, own: number): void {
  const at = wordsOf(row);
  words[at + OWN_PART] = own;
  for (let other = 0; other < rank; other++) {
    if (other !== row && hasPart(words, wordsOf(other), own)) addRow(words, wordsOf(other), at);
  }
}

/** An equation's own part has arrived by itself: another becomes its own, or it tells nothing any more and makes room. */
function giveOwnPart(decoder: Decoder, row: number): void {
  const own = unknownPart(decoder.words, wordsOf(row));
  if (own >= 0) makeOwn(decoder, row, own);
  else removeRow(decoder, row);
}

/** The parities of its combination only tell of known parts, so one of them can be expressed by the others, and its place is free. */
function removeRow(decoder: Decoder, row: number): void {
  const { words } = decoder;
  const at = wordsOf(row);
  const place = words[at + COMBINATION]! & -words[at + COMBINATION]!;
  for (let other = 0; other < decoder.rank; other++) {
    const otherAt = wordsOf(other);
    if (other !== row && (words[otherAt + COMBINATION]! & place) !== 0) addRow(words, otherAt, at);
  }
  decoder.taken &= ~place;
  decoder.rank -= 1;
  words.copyWithin(at, wordsOf(decoder.rank), wordsOf(decoder.rank + 1));
}
