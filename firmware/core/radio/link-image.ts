// An image that a gateway has for its devices in blocks: what its answer says of it, and which blocks of it have arrived. They come in the
// gateway's order, whether core asks for the next chunk yet or not. Pure; asks for nothing.

import { readDigits, readHexDigits } from "../digits.js";
import { BLOCK_BYTES } from "./block-code.js";
import { blockCountOf } from "./block-frames.js";
import { addBlock, hasBlock, newBlockSet, removeBlock } from "./block-set.js";
import { BLOCKS_HEADER, type ExchangeAnswer } from "./exchange-message.js";

export interface BlockImage {
  /** Its number among the gateway's images, 8 bytes. */
  readonly id: Uint8Array;
  readonly imageBytes: number;
  /** Of the release: one or more blocks. */
  readonly chunkBytes: number;
}

/** `<id, 16 hex digits> <bytes of the image> <bytes a chunk>`. */
export function imageOf({ status, headers }: ExchangeAnswer): BlockImage | undefined {
  const text = headers[BLOCKS_HEADER];
  if (text === undefined || (status !== 200 && status !== 206)) return undefined;
  const [idText = "", imageText = "", chunkText = ""] = text.split(" ", 3);
  const id = readId(idText);
  const imageBytes = readDigits(imageText, 8);
  const chunkBytes = readDigits(chunkText, 8);
  return id && imageBytes && chunkBytes ? { id, imageBytes, chunkBytes } : undefined;
}

function readId(text: string): Uint8Array | undefined {
  const id = new Uint8Array(ID_BYTES);
  if (text.length !== 2 * ID_BYTES) return undefined;
  for (let at = 0; at < ID_BYTES; at++) {
    const byte = readHexDigits(text.slice(2 * at, 2 * at + 2));
    if (byte === undefined) return undefined;
    id[at] = byte;
  }
  return id;
}
const ID_BYTES = 8;

/** Blocks on their way into the slot. */
export interface Arriving {
  /** Of the order of blocks. */
  readonly attempt: number;
  /** The first byte that was ordered. */
  readonly start: number;
  /** Blocks that are in the slot; changed in place. */
  readonly blocks: Int32Array;
  /** Where the chunk begins that core was told of last: if it asks for that one again, it is wrong. */
  readonly toldStart: number | undefined;
}

/** What is known of the blocks when the chunk at `start` is to be fetched, again if it is there. */
export function arrivingFrom(
  attempt: number,
  start: number,
  image: BlockImage,
  before: Arriving | undefined,
): Arriving {
  const blocks = newBlockSet(blockCountOf(image.imageBytes));
  if (before && start >= before.start) blocks.set(before.blocks);
  for (let block = blockOf(start); block * BLOCK_BYTES < chunkEnd(image, start); block++)
    removeBlock(blocks, block);
  return { attempt, start, blocks, toldStart: undefined };
}

export const noteStored = ({ blocks }: Arriving, offset: number): void => addBlock(blocks, blockOf(offset));

/** Whether all blocks of the chunk at `start` are in the slot. */
export function isChunkStored({ blocks }: Arriving, image: BlockImage, start: number): boolean {
  for (let block = blockOf(start); block * BLOCK_BYTES < chunkEnd(image, start); block++)
    if (!hasBlock(blocks, block)) return false;
  return true;
}

const blockOf = (offset: number): number => Math.floor(offset / BLOCK_BYTES);
const chunkEnd = ({ imageBytes, chunkBytes }: BlockImage, start: number): number =>
  Math.min(start + chunkBytes, imageBytes);
