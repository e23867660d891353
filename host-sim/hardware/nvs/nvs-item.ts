// One 32-byte entry of an NVS page: its layout, its checksums and the check whether it is sane. It is independent of flash and pages.
//
//   0          1       2       3            4        8                 24
//   | ns (u8)  | type  | span  | chunkIndex | crc32  | key, 16 bytes   | data, 8 bytes |
//
//   string, blob chunk:  data = | u16 size | u16 FFFF | u32 crc32 of the payload |, payload in the next span - 1 entries
//   blob index:          data = | u32 size | u8 chunkCount | u8 chunkStart | u16 FFFF |
//
// Follows nvs_types.cpp and nvs_page.hpp of ESP-IDF v6.0.

import { decodeCText, encodeCText } from "../c-text.js";
import { crc32 } from "../crc32.js";

export const ENTRY_BYTES = 32;
/** Entries of a 4096-byte page: 128 less the header and the state bitmap. */
export const ENTRY_COUNT = 126;
/** Most payload bytes of one string or blob chunk: all entries of a page but the first. */
export const CHUNK_MAX_BYTES = ENTRY_BYTES * (ENTRY_COUNT - 1);
/** Longest key or namespace name, because the field of 16 bytes ends in a NUL. */
export const KEY_MAX_BYTES = 15;
/** In a search: any namespace. */
export const NAMESPACE_ANY = 0xff;
/** The namespace whose entries name the other namespaces. */
export const NAMESPACE_INDEX = 0;
/** In a search: any chunk; in an entry: not a blob chunk. */
export const CHUNK_ANY = 0xff;
/** First chunk number of the two versions of a blob that alternate, and the wildcard. */
export const versionOffset = Object.freeze({ zero: 0x00, one: 0x80, any: 0xff });

/** The type byte of an entry. */
export const itemType = Object.freeze({
  u8: 0x01,
  i8: 0x11,
  u16: 0x02,
  i16: 0x12,
  u32: 0x04,
  i32: 0x14,
  u64: 0x08,
  i64: 0x18,
  str: 0x21,
  /** A whole blob in the format before ESP-IDF v3.2; also what the upper layers call any blob. */
  blob: 0x41,
  blobData: 0x42,
  blobIndex: 0x48,
  any: 0xff,
});

const integerTypes: readonly number[] = Object.freeze([0x01, 0x11, 0x02, 0x12, 0x04, 0x14, 0x08, 0x18]);
/** Half of the 255 chunk numbers, each chunk as large as a page allows. */
const BLOB_MAX_BYTES = 127 * CHUNK_MAX_BYTES;

/** Whether entries of this type are followed by payload entries. */
export function isVariableLength(type: number): boolean {
  return type === itemType.blob || type === itemType.str || type === itemType.blobData;
}

/** Bytes of an integer of this type: the low digit of its type byte. */
export function integerBytes(type: number): number {
  return type & 0x0f;
}

/** A text as the C library sees it: its bytes, one character a byte. */
export function toKey(text: string): string {
  return Buffer.from(encodeCText(text)).toString("latin1");
}

/** The text of a key that was read from flash. */
export function fromKey(key: string): string {
  return decodeCText(Buffer.from(key, "latin1"));
}

/** Whether two keys are equal in the first 15 bytes, which is all that the library compares. */
export function isSameKey(a: string, b: string): boolean {
  return a.slice(0, KEY_MAX_BYTES) === b.slice(0, KEY_MAX_BYTES);
}

/** An entry; a view over its 32 bytes. */
export class NvsItem {
  readonly bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, ENTRY_BYTES);
  }

  /** A new entry whose data is still 0xFF and whose checksum is not made yet. Longer keys are cut. */
  static create(namespace: number, type: number, span: number, key: string, chunkIndex: number): NvsItem {
    const bytes = new Uint8Array(ENTRY_BYTES).fill(0xff);
    bytes.set([namespace, type, span, chunkIndex]);
    bytes.fill(0, 8, 24);
    bytes.set(Buffer.from(key.slice(0, KEY_MAX_BYTES), "latin1"), 8);
    return new NvsItem(bytes);
  }

  get namespace(): number {
    return this.#view.getUint8(0);
  }
  get type(): number {
    return this.#view.getUint8(1);
  }
  get span(): number {
    return this.#view.getUint8(2);
  }
  get chunkIndex(): number {
    return this.#view.getUint8(3);
  }
  /** The key without its NULs, one character a byte. */
  get key(): string {
    const field = Buffer.from(this.bytes.subarray(8, 8 + KEY_MAX_BYTES));
    const end = field.indexOf(0);
    return field.toString("latin1", 0, end < 0 ? KEY_MAX_BYTES : end);
  }
  get data(): Uint8Array {
    return this.bytes.subarray(24);
  }
  /** Payload bytes of a string or blob chunk. */
  get sizeBytes(): number {
    return this.#view.getUint16(24, true);
  }
  get payloadCrc(): number {
    return this.#view.getUint32(28, true);
  }
  /** Bytes of the whole blob that a blob index describes. */
  get blobBytes(): number {
    return this.#view.getUint32(24, true);
  }
  get chunkCount(): number {
    return this.#view.getUint8(28);
  }
  get chunkStart(): number {
    return this.#view.getUint8(29);
  }

  setPayload(payload: Uint8Array): void {
    this.#view.setUint16(24, payload.length, true);
    this.#view.setUint16(26, 0xffff, true);
    this.#view.setUint32(28, crc32(payload), true);
  }

  /** Writes the entry's own checksum; the last thing before it goes to flash. */
  seal(): void {
    this.#view.setUint32(4, this.#computeCrc(), true);
  }

  /** The 24-bit hash by which a page finds entries: namespace, key field and chunk number. */
  hash(): number {
    const crc = crc32(this.bytes.subarray(8, 24), crc32(this.bytes.subarray(0, 1)));
    return crc32(this.bytes.subarray(3, 4), crc) & 0xffffff;
  }

  /** Whether the checksum holds and type, span and sizes fit an entry at `entryIndex` of a page. */
  isConsistent(entryIndex: number): boolean {
    if (this.#view.getUint32(4, true) !== this.#computeCrc()) return false;
    if (integerTypes.includes(this.type)) return this.span === 1;
    if (this.type === itemType.blobIndex) {
      return this.span === 1 && this.chunkIndex === CHUNK_ANY && this.blobBytes <= BLOB_MAX_BYTES;
    }
    return isVariableLength(this.type) && this.#hasSanePayload(entryIndex);
  }

  #hasSanePayload(entryIndex: number): boolean {
    if (this.type === itemType.blobData && this.chunkIndex === CHUNK_ANY) return false;
    if (this.sizeBytes > (ENTRY_COUNT - entryIndex - 1) * ENTRY_BYTES) return false;
    return this.span === 1 + Math.ceil(this.sizeBytes / ENTRY_BYTES);
  }

  #computeCrc(): number {
    return crc32(this.bytes.subarray(8), crc32(this.bytes.subarray(0, 4)));
  }
}
