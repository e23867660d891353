// The frames of an exchange: a message is cut into fragments of 240 bytes, and the client says which are missing. Pure:
// values in, bytes out, and back. Integers are little-endian.
//
//   0x20 ask      u8 type │ u32 id │ u8 index, 0x80: say what you have │ u8 count │ ≤ 240 bytes      node ─► gateway
//   0x21 pull     u8 type │ u32 id │ u40 fragments of the answer that are there                         ─►
//   0x22 done     u8 type │ u32 id                                                                      ─►
//   0x23 have     u8 type │ u32 id │ u40 fragments of the request that are there                        ◄─
//   0x24 give     u8 type │ u32 id │ u8 index, 0x80: the last for now │ u8 count │ ≤ 240 bytes       ◄─
//   0x25 busy     u8 type │ u32 id │ u8 seconds: come back then                                         ◄─
//   0x26 unknown  u8 type │ u32 id: there is no such exchange (any more)                                ◄─
//
// Every fragment but the last has 240 bytes, so that its place is known from its index.

import { MAX_EXCHANGE_BYTES } from "./exchange-message.js";

export const FRAGMENT_BYTES = 240;
/** 35 bits of a set of fragments: a whole number that a double holds. */
export const MAX_FRAGMENT_COUNT = Math.ceil(MAX_EXCHANGE_BYTES / FRAGMENT_BYTES);

/** Fragments sent without an answer in between: the radio takes six frames at once, of everybody. */
export const WINDOW = 3;

const ASK = 0x20;
const PULL = 0x21;
const DONE = 0x22;
const HAVE = 0x23;
const GIVE = 0x24;
const BUSY = 0x25;
const UNKNOWN = 0x26;
const IS_LAST = 0x80;
const HEAD_BYTES = 5;
const FRAGMENT_HEAD_BYTES = 7;
const SET_BYTES = 5;

/** Fragments by their index: 1 for the first, 2 for the second, 4 for the third … */
export type FragmentSet = number;

export interface Fragment {
  readonly type: "ask" | "give";
  readonly id: number;
  readonly index: number;
  readonly count: number;
  /** The receiver answers now. */
  readonly isLast: boolean;
  /** Of the frame itself: not a copy. */
  readonly bytes: Uint8Array;
}

export type ExchangeFrame =
  | Fragment
  | { readonly type: "pull" | "have"; readonly id: number; readonly fragments: FragmentSet }
  | { readonly type: "done" | "unknown"; readonly id: number }
  | { readonly type: "busy"; readonly id: number; readonly seconds: number };

export const isExchangeFrame = (bytes: Uint8Array): boolean => (bytes[0] ?? 0) >> 4 === 2;

/** `undefined`: it is none, or malformed. */
export function readExchangeFrame(bytes: Uint8Array): ExchangeFrame | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const id = readCount(bytes, 1, 4);
  switch (bytes[0]) {
    case ASK:
      return readFragment("ask", id, bytes);
    case GIVE:
      return readFragment("give", id, bytes);
    case PULL:
      return readSet("pull", id, bytes);
    case HAVE:
      return readSet("have", id, bytes);
    case DONE:
      return { type: "done", id };
    case UNKNOWN:
      return { type: "unknown", id };
    case BUSY:
      return bytes.length < HEAD_BYTES + 1
        ? undefined
        : { type: "busy", id, seconds: bytes[HEAD_BYTES] ?? 0 };
    default:
      return undefined;
  }
}

function readFragment(type: Fragment["type"], id: number, bytes: Uint8Array): Fragment | undefined {
  const place = bytes[HEAD_BYTES] ?? 0;
  const count = bytes[HEAD_BYTES + 1] ?? 0;
  const index = place & 0x7f;
  const sizeBytes = bytes.length - FRAGMENT_HEAD_BYTES;
  const isSized =
    index === count - 1 ? sizeBytes > 0 && sizeBytes <= FRAGMENT_BYTES : sizeBytes === FRAGMENT_BYTES;
  if (index >= count || count > MAX_FRAGMENT_COUNT || !isSized) return undefined;
  return { type, id, index, count, isLast: place >= IS_LAST, bytes: bytes.subarray(FRAGMENT_HEAD_BYTES) };
}

function readSet(type: "pull" | "have", id: number, bytes: Uint8Array): ExchangeFrame | undefined {
  if (bytes.length < HEAD_BYTES + SET_BYTES) return undefined;
  return { type, id, fragments: readCount(bytes, HEAD_BYTES, SET_BYTES) };
}

/** Without shifts: they end at 32 bits. */
function readCount(bytes: Uint8Array, offset: number, length: number): number {
  let value = 0;
  for (let at = length - 1; at >= 0; at--) value = value * 256 + (bytes[offset + at] ?? 0);
  return value;
}

function putCount(bytes: Uint8Array, offset: number, length: number, value: number): void {
  let left = value;
  for (let at = 0; at < length; at++) {
    bytes[offset + at] = left % 256;
    left = Math.floor(left / 256);
  }
}

export function writeExchangeFrame(frame: Exclude<ExchangeFrame, Fragment>): Uint8Array {
  const more = frame.type === "busy" ? 1 : frame.type === "pull" || frame.type === "have" ? SET_BYTES : 0;
  const bytes = new Uint8Array(HEAD_BYTES + more);
  bytes[0] = TYPES[frame.type];
  putCount(bytes, 1, 4, frame.id);
  if (frame.type === "busy") bytes[HEAD_BYTES] = Math.min(255, frame.seconds);
  else if (frame.type === "pull" || frame.type === "have")
    putCount(bytes, HEAD_BYTES, SET_BYTES, frame.fragments);
  return bytes;
}

const TYPES = Object.freeze({ pull: PULL, done: DONE, have: HAVE, busy: BUSY, unknown: UNKNOWN });

/** The next fragments of a message that are missing, at most `most`; the last of them asks for an answer. */
export function fragmentsOf(
  type: Fragment["type"],
  id: number,
  message: Uint8Array,
  there: FragmentSet,
  most = WINDOW,
): readonly Uint8Array[] {
  const count = fragmentCount(message.length);
  const indexes: number[] = [];
  for (let index = 0; index < count && indexes.length < most; index++)
    if (!hasFragment(there, index)) indexes.push(index);
  return indexes.map((index, at) => {
    const part = message.subarray(index * FRAGMENT_BYTES, (index + 1) * FRAGMENT_BYTES);
    const bytes = new Uint8Array(FRAGMENT_HEAD_BYTES + part.length);
    bytes[0] = type === "ask" ? ASK : GIVE;
    putCount(bytes, 1, 4, id);
    bytes[HEAD_BYTES] = at === indexes.length - 1 ? index + IS_LAST : index;
    bytes[HEAD_BYTES + 1] = count;
    bytes.set(part, FRAGMENT_HEAD_BYTES);
    return bytes;
  });
}

/** A message is never empty. */
export const fragmentCount = (sizeBytes: number): number => Math.ceil(sizeBytes / FRAGMENT_BYTES);

export const hasFragment = (set: FragmentSet, index: number): boolean =>
  Math.floor(set / 2 ** index) % 2 === 1;

export const allFragments = (count: number): FragmentSet => 2 ** count - 1;

/**
 * A message that arrives. Its buffer is filled in place: a copy for each fragment would be 8 KiB each. A fragment that is there is never
 * written again, so that an older state still is what it was.
 */
export interface Assembly {
  readonly buffer: Uint8Array;
  readonly count: number;
  readonly there: FragmentSet;
  /** 0 until the last fragment has come. */
  readonly sizeBytes: number;
}

export const newAssembly = (count: number): Assembly => ({
  buffer: new Uint8Array(count * FRAGMENT_BYTES),
  count,
  there: 0,
  sizeBytes: 0,
});

/** Unchanged if the fragment is there already, or belongs to a message of another length. */
export function assemble(assembly: Assembly, { index, count, bytes }: Fragment): Assembly {
  if (count !== assembly.count || hasFragment(assembly.there, index)) return assembly;
  assembly.buffer.set(bytes, index * FRAGMENT_BYTES);
  const isEnd = index === count - 1;
  return {
    ...assembly,
    there: assembly.there + 2 ** index,
    sizeBytes: isEnd ? index * FRAGMENT_BYTES + bytes.length : assembly.sizeBytes,
  };
}

/** The whole message; `undefined`: fragments are missing. */
export const assembled = ({ buffer, count, there, sizeBytes }: Assembly): Uint8Array | undefined =>
  there === allFragments(count) ? buffer.subarray(0, sizeBytes) : undefined;
