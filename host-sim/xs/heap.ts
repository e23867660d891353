// How much memory XS has: what a chip's build gives it ("creation" in the manifest), or as good as any. Bytes, but for counts of slots.

export interface XsHeap {
  /** One block for XS's stack, slots and chunks together; 0: an area for each, or no limit. */
  readonly staticBytes: number;
  /** The areas; 0: no limit. */
  readonly chunkBytes: number;
  readonly slotBytes: number;
  /** Claimed at the start, and each time when collecting garbage did not help. */
  readonly initialChunkBytes: number;
  readonly chunkIncrementBytes: number;
  readonly initialSlotCount: number;
  readonly slotIncrementCount: number;
  readonly stackCount: number;
}

/** More than any firmware needs: what is used is counted, not what is there. */
export const ROOMY_HEAP: XsHeap = Object.freeze({
  staticBytes: 0,
  chunkBytes: 0,
  slotBytes: 0,
  initialChunkBytes: 1024 * 1024,
  chunkIncrementBytes: 64 * 1024,
  initialSlotCount: 128 * 1024,
  slotIncrementCount: 16 * 1024,
  stackCount: 4096,
});

/** One block, as the SDK gives it to a C3 (targets/esp32c3/manifest.json): claimed in the same steps, of another size. */
export const blockHeap = (staticBytes: number): XsHeap => ({
  staticBytes,
  chunkBytes: 0,
  slotBytes: 0,
  initialChunkBytes: 1536,
  chunkIncrementBytes: 512,
  initialSlotCount: 512,
  slotIncrementCount: 64,
  stackCount: 384,
});

/** Two areas of a fixed size, as the SDK gives them to S3 and C6 (targets/esp32s3/manifest.json). */
export const areaHeap = (chunkBytes: number, slotBytes: number, stackCount: number): XsHeap => ({
  ...blockHeap(0),
  chunkBytes,
  slotBytes,
  stackCount,
});
