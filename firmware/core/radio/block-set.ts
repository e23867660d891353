// A set of blocks of one image, one bit each: those that a device still wants, or has stored. It is changed in place: it exists once for each
// transfer. Knows nothing of what is in the blocks.

/** Bits for so many blocks, none of them set. */
export const newBlockSet = (blockCount: number): Int32Array => new Int32Array(Math.ceil(blockCount / 32));

export const hasBlock = (set: Int32Array, block: number): boolean =>
  (((set[block >> 5] ?? 0) >> (block & 31)) & 1) === 1;

export function addBlock(set: Int32Array, block: number): void {
  set[block >> 5]! |= 1 << (block & 31);
}

export function removeBlock(set: Int32Array, block: number): void {
  set[block >> 5]! &= ~(1 << (block & 31));
}

/** The first block of the set from `from` on, and then from 0 on, as a carousel comes round; `undefined`: the set is empty. */
export function nextBlock(set: Int32Array, from: number): number | undefined {
  const count = 32 * set.length;
  for (let i = 0; i < count; i++) {
    const block = (from + i) % count;
    if (hasBlock(set, block)) return block;
  }
  return undefined;
}

/** Where the blocks end that follow `block` in the set without a gap; `block` itself if it is not in the set. */
export function endOfRun(set: Int32Array, block: number): number {
  let end = block;
  while (hasBlock(set, end)) end += 1;
  return end;
}
