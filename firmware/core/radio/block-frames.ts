// The frames that bring an image to many devices at once, in blocks. All integers are little-endian. Everything in a frame is checked
// here against the frame's length and the image's; whom to believe is decided by those who read it.
//
//   ANNOUNCE  0x30  u8 session | id[8] | u32 image bytes | u16 block | u8 seconds: the parts come then
//   PARITY    0x31  u8 session | id[8] | u16 block | u16 seed | 224 bytes
//   STATUS    0x32  id[8] | u32 image bytes | u16 block | u16 end block | u8 room | u8 settled[10]
//   DATA      0x38 + session  u16 part of the image | u8 size | ≤ 224 bytes
//
// DATA has no place for the image's id: its session does, 0 to 7, which the gateway changes with the image and tells in the others.

import {
  BLOCK_BYTES,
  bitCount,
  PART_BYTES,
  PART_SET_BYTES,
  PART_SET_WORDS,
  PARTS_A_BLOCK,
  partCountOf,
  partLength,
  wordMask,
  wordOf,
} from "./block-code.js";

export const ANNOUNCE = 0x30;
export const PARITY = 0x31;
export const STATUS = 0x32;
/** The first of SESSION_COUNT types. */
export const DATA = 0x38;
export const SESSION_COUNT = 8;

/** Of an image, in frames and tables: chosen by the gateway, never a secret, checked for nothing but equality. */
const IMAGE_ID_BYTES = 8;
const ANNOUNCE_BYTES = 17;
const PARITY_HEAD_BYTES = 14;
const STATUS_BYTES = 28;
const DATA_HEAD_BYTES = 4;

/** The number of a part of the image has 16 bits: 14.5 MB, more than the largest slot of these devices. */
const MAX_BLOCK_COUNT = Math.floor(0x1_0000 / PARTS_A_BLOCK);
export const MAX_IMAGE_BYTES = MAX_BLOCK_COUNT * BLOCK_BYTES;

export const blockCountOf = (imageBytes: number): number => Math.ceil(imageBytes / BLOCK_BYTES);
export const blockLength = (imageBytes: number, block: number): number =>
  Math.min(BLOCK_BYTES, imageBytes - block * BLOCK_BYTES);

export interface Announcement {
  readonly session: number;
  readonly id: Uint8Array;
  readonly imageBytes: number;
  /** What is sent next. */
  readonly block: number;
  /** Nothing is sent before, 0 to 255: others may still join in. */
  readonly waitSeconds: number;
}

export interface Parity {
  readonly session: number;
  readonly id: Uint8Array;
  readonly block: number;
  readonly seed: number;
  readonly bytes: Uint8Array;
}

export interface BlockStatus {
  readonly id: Uint8Array;
  readonly imageBytes: number;
  /** The block that the device needs next. */
  readonly block: number;
  /** It needs the blocks before this one, too. */
  readonly endBlock: number;
  /** Parities that it can keep, besides those that it has. */
  readonly room: number;
  /** The parts that it has, or can repair once it has the others. */
  readonly settled: Uint8Array;
  /** How many others there are, at least 1: it needs them, or as many parities. */
  readonly lacking: number;
}

export interface DataPart {
  readonly session: number;
  readonly block: number;
  /** Within its block. */
  readonly part: number;
  readonly bytes: Uint8Array;
}

export function announceFrame({ session, id, imageBytes, block, waitSeconds }: Announcement): Uint8Array {
  const frame = new Uint8Array(ANNOUNCE_BYTES);
  frame[0] = ANNOUNCE;
  frame[1] = session;
  frame.set(id, 2);
  putU32(frame, 10, imageBytes);
  putU16(frame, 14, block);
  frame[16] = waitSeconds;
  return frame;
}

export function parityFrame({ session, id, block, seed, bytes }: Parity): Uint8Array {
  const frame = new Uint8Array(PARITY_HEAD_BYTES + PART_BYTES);
  frame[0] = PARITY;
  frame[1] = session;
  frame.set(id, 2);
  putU16(frame, 10, block);
  putU16(frame, 12, seed);
  frame.set(bytes, PARITY_HEAD_BYTES);
  return frame;
}

export function statusFrame(status: Omit<BlockStatus, "lacking">): Uint8Array {
  const { id, imageBytes, block, endBlock, room, settled } = status;
  const frame = new Uint8Array(STATUS_BYTES);
  frame[0] = STATUS;
  frame.set(id, 1);
  putU32(frame, 9, imageBytes);
  putU16(frame, 13, block);
  putU16(frame, 15, endBlock);
  frame[17] = room;
  frame.set(settled, 18);
  return frame;
}

export function dataFrame({ session, block, part, bytes }: DataPart): Uint8Array {
  const frame = new Uint8Array(DATA_HEAD_BYTES + bytes.length);
  frame[0] = DATA + session;
  putU16(frame, 1, block * PARTS_A_BLOCK + part);
  frame[3] = bytes.length;
  frame.set(bytes, DATA_HEAD_BYTES);
  return frame;
}

/** All readers give `undefined` for what is no such frame, or cannot be true of an image of this length. */
export function readAnnouncement(frame: Uint8Array): Announcement | undefined {
  if (frame[0] !== ANNOUNCE || frame.length !== ANNOUNCE_BYTES) return undefined;
  const session = frame[1]!;
  const imageBytes = u32(frame, 10);
  const block = u16(frame, 14);
  if (session >= SESSION_COUNT || !isBlockOf(imageBytes, block)) return undefined;
  const waitSeconds = frame[16]!;
  return { session, id: frame.subarray(2, 2 + IMAGE_ID_BYTES), imageBytes, block, waitSeconds };
}

export function readParity(frame: Uint8Array, imageBytes: number): Parity | undefined {
  if (frame[0] !== PARITY || frame.length !== PARITY_HEAD_BYTES + PART_BYTES) return undefined;
  const session = frame[1]!;
  const block = u16(frame, 10);
  if (session >= SESSION_COUNT || !isBlockOf(imageBytes, block)) return undefined;
  const id = frame.subarray(2, 2 + IMAGE_ID_BYTES);
  return { session, id, block, seed: u16(frame, 12), bytes: frame.subarray(PARITY_HEAD_BYTES) };
}

export function readStatus(frame: Uint8Array): BlockStatus | undefined {
  if (frame[0] !== STATUS || frame.length !== STATUS_BYTES) return undefined;
  const imageBytes = u32(frame, 9);
  const block = u16(frame, 13);
  const endBlock = u16(frame, 15);
  if (!isBlockOf(imageBytes, block) || endBlock <= block || endBlock > blockCountOf(imageBytes))
    return undefined;
  const settled = frame.subarray(18, 18 + PART_SET_BYTES);
  const lacking = lackingIn(settled, partCountOf(blockLength(imageBytes, block)));
  if (lacking === 0) return undefined;
  const room = frame[17]!;
  return { id: frame.subarray(1, 1 + IMAGE_ID_BYTES), imageBytes, block, endBlock, room, settled, lacking };
}

function lackingIn(settled: Uint8Array, partCount: number): number {
  let count = 0;
  for (let word = 0; word < PART_SET_WORDS; word++)
    count += bitCount(~wordOf(settled, word) & wordMask(word, partCount));
  return count;
}

export function readData(frame: Uint8Array, imageBytes: number): DataPart | undefined {
  const session = frame[0]! - DATA;
  if (session < 0 || session >= SESSION_COUNT || frame.length <= DATA_HEAD_BYTES) return undefined;
  const number = u16(frame, 1);
  const block = Math.floor(number / PARTS_A_BLOCK);
  const part = number - block * PARTS_A_BLOCK;
  const sizeBytes = frame[3]!;
  if (!isBlockOf(imageBytes, block)) return undefined;
  // a part beyond the image's end has no length
  if (sizeBytes !== partLength(blockLength(imageBytes, block), part)) return undefined;
  if (frame.length !== DATA_HEAD_BYTES + sizeBytes) return undefined;
  return { session, block, part, bytes: frame.subarray(DATA_HEAD_BYTES) };
}

/** Whether a frame brings a part of an image, or a parity. */
export const isPart = ([type = 0]: Uint8Array): boolean =>
  type === PARITY || (type >= DATA && type < DATA + SESSION_COUNT);

const isBlockOf = (imageBytes: number, block: number): boolean =>
  imageBytes > 0 && imageBytes <= MAX_IMAGE_BYTES && block < blockCountOf(imageBytes);

const u16 = (bytes: Uint8Array, at: number): number => bytes[at]! | (bytes[at + 1]! << 8);
const u32 = (bytes: Uint8Array, at: number): number => (u16(bytes, at) | (u16(bytes, at + 2) << 16)) >>> 0;

function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >> 8;
}

function putU32(bytes: Uint8Array, at: number, value: number): void {
  putU16(bytes, at, value);
  putU16(bytes, at + 2, value >>> 16);
}
