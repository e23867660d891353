// One 4096-byte page of NVS: finds, writes, erases and copies entries. It never decides which page is used; that is the
// page list's. Repair after a power cut is in nvs-page-load.ts.
//
//   0      header: u32 state | u32 sequence | u8 version FE | FF x 19 | u32 crc32 of bytes 4..27
//   32     bitmap, 2 bits an entry: 11 empty, 10 written, 00 erased, 01 impossible
//   64     126 entries of 32 bytes
//
//   state: FFFFFFFF uninitialised -> FFFFFFFE active -> FFFFFFFC full -> FFFFFFF8 freeing -> erase
//
// The order of the flash operations is that of nvs_page.cpp of ESP-IDF v6.0, so that a power cut does the same damage.

import { crc32 } from "../crc32.js";
import { EntryBitmap, entryState, wordOf } from "./nvs-bitmap.js";
import type { NvsError } from "./nvs-errors.js";
import { NO_ENTRY, NvsHashList } from "./nvs-hash-list.js";
import {
  CHUNK_ANY,
  CHUNK_MAX_BYTES,
  ENTRY_BYTES,
  ENTRY_COUNT,
  integerBytes,
  isVariableLength,
  itemType,
  KEY_MAX_BYTES,
  NAMESPACE_ANY,
  NvsItem,
} from "./nvs-item.js";
import type { NvsPartition } from "./nvs-partition.js";
import { type ItemCursor, type ItemQuery, matchItem, newCursor } from "./nvs-query.js";

export const PAGE_BYTES = 4096;
export const BITMAP_OFFSET = 32;
const ENTRIES_OFFSET = 64;
/** Counts down with each new format. */
export const FORMAT_VERSION = 0xfe;

export const pageState = Object.freeze({
  uninitialised: 0xffffffff,
  active: 0xfffffffe,
  full: 0xfffffffc,
  freeing: 0xfffffff8,
  corrupt: 0xfffffff0,
  invalid: 0,
});

export class NvsPage {
  readonly partition: NvsPartition;
  readonly offset: number;
  state: number = pageState.invalid;
  version: number = FORMAT_VERSION;
  nextFree: number = NO_ENTRY;
  firstUsed: number = NO_ENTRY;
  usedCount = 0;
  readonly bitmap: EntryBitmap = new EntryBitmap();
  readonly hashes: NvsHashList = new NvsHashList();
  #sequence = 0xffffffff;

  constructor(partition: NvsPartition, offset: number) {
    this.partition = partition;
    this.offset = offset;
  }

  /** The page's place in the order of writing; undefined for a page without contents. */
  get sequence(): number | undefined {
    return this.#hasContents() ? this.#sequence : undefined;
  }

  set sequence(sequence: number) {
    this.#sequence = sequence;
  }

  /** Payload bytes that a new string or blob chunk could have here. */
  get tailroomBytes(): number {
    if (this.state === pageState.uninitialised) return CHUNK_MAX_BYTES;
    if (this.state === pageState.full || this.nextFree >= ENTRY_COUNT - 1) return 0;
    return (ENTRY_COUNT - this.nextFree - 1) * ENTRY_BYTES;
  }

  /** Adds an item behind the last one. ESP_ERR_NVS_PAGE_FULL when it does not fit. */
  writeItem(
    namespace: number,
    type: number,
    key: string,
    data: Uint8Array,
    chunkIndex: number = CHUNK_ANY,
  ): NvsError {
    if (this.state === pageState.invalid) return "ESP_ERR_NVS_INVALID_STATE";
    if (this.state === pageState.uninitialised) this.#initialise();
    if (this.state === pageState.full) return "ESP_ERR_NVS_PAGE_FULL";
    if (key.length > KEY_MAX_BYTES) return "ESP_ERR_NVS_KEY_TOO_LONG";
    if (data.length > CHUNK_MAX_BYTES) return "ESP_ERR_NVS_VALUE_TOO_LONG";
    const variable = isVariableLength(type);
    if (!variable && data.length > 8) return "ESP_ERR_INVALID_ARG";
    const span = variable ? 1 + Math.ceil(data.length / ENTRY_BYTES) : 1;
    if (this.nextFree === NO_ENTRY || this.nextFree + span > ENTRY_COUNT) return "ESP_ERR_NVS_PAGE_FULL";

    const item = NvsItem.create(namespace, type, span, key, chunkIndex);
    this.hashes.insert(item, this.nextFree);
    if (variable) item.setPayload(data);
    else item.data.set(data);
    item.seal();
    this.#writeEntry(item.bytes);
    if (variable) this.#writePayload(data);
    return "ESP_OK";
  }

  /**
   * The first matching entry at or behind `cursor.index`. Broken entries that it meets are erased. ESP_ERR_NVS_TYPE_MISMATCH if
   * the key is there with another type.
   */
  findItem(query: ItemQuery, cursor: ItemCursor): NvsError {
    if (!this.#hasContents() || cursor.index >= ENTRY_COUNT) return "ESP_ERR_NVS_NOT_FOUND";
    const end = Math.min(this.nextFree, ENTRY_COUNT);
    for (let index = this.#searchStart(query, cursor.index); index < end; ) {
      const at = index;
      index += 1;
      if (this.bitmap.get(at) !== entryState.written) continue;
      const item = this.readEntry(at);
      cursor.item = item;
      if (!item.isConsistent(at)) {
        this.eraseEntryAndSpan(at);
        continue;
      }
      if (isVariableLength(item.type)) index = at + item.span;
      const verdict = matchItem(item, query);
      if (verdict === "skip") continue;
      cursor.index = at;
      return verdict;
    }
    return "ESP_ERR_NVS_NOT_FOUND";
  }

  /** The value of a string or blob chunk whose first entry is at `index`; one with a wrong checksum is erased. */
  readPayload(item: NvsItem, index: number): { error: NvsError; payload: Uint8Array } {
    const payload = new Uint8Array(item.sizeBytes);
    for (let at = 0; at < item.span - 1; at += 1) {
      const part = this.readEntry(index + 1 + at).bytes;
      const left = payload.length - at * ENTRY_BYTES;
      payload.set(part.subarray(0, Math.min(ENTRY_BYTES, left)), at * ENTRY_BYTES);
    }
    if (crc32(payload) === item.payloadCrc) return { error: "ESP_OK", payload };
    this.eraseEntryAndSpan(index);
    return { error: "ESP_ERR_NVS_NOT_FOUND", payload };
  }

  /** ESP_OK if the item is here with exactly this value (for a variable-length one: begins with it). */
  compareItem(query: ItemQuery, data: Uint8Array): NvsError {
    const cursor = newCursor();
    const error = this.findItem(query, cursor);
    if (error !== "ESP_OK") return error;
    const { item } = cursor;
    if (!isVariableLength(query.type)) {
      if (data.length !== integerBytes(query.type)) return "ESP_ERR_NVS_TYPE_MISMATCH";
      return startsWith(item.data, data) ? "ESP_OK" : "ESP_ERR_NVS_CONTENT_DIFFERS";
    }
    if (data.length < item.sizeBytes) return "ESP_ERR_NVS_INVALID_LENGTH";
    const head = data.subarray(0, item.sizeBytes);
    if (crc32(head) !== item.payloadCrc) return "ESP_ERR_NVS_CONTENT_DIFFERS";
    return this.#hasPayload(item, cursor.index, head) ? "ESP_OK" : "ESP_ERR_NVS_CONTENT_DIFFERS";
  }

  eraseItem(query: ItemQuery): NvsError {
    const cursor = newCursor();
    const error = this.findItem(query, cursor);
    return error === "ESP_OK" ? this.eraseEntryAndSpan(cursor.index) : error;
  }

  /** Marks the entry, and the payload that belongs to it, as erased in the bitmap. */
  eraseEntryAndSpan(index: number): NvsError {
    let span = 1;
    if (this.bitmap.get(index) === entryState.written) {
      const item = this.readEntry(index);
      this.hashes.erase(index);
      if (item.isConsistent(index)) {
        span = item.span;
        for (let at = index; at < index + span; at += 1) {
          if (this.bitmap.get(at) === entryState.written) this.#countUsed(-1);
        }
      } else {
        this.#countUsed(-1);
      }
    }
    this.#alterRange(index, index + span, entryState.erased);
    if (index === this.firstUsed) this.#advanceFirstUsed(index + span);
    if (index + span > this.nextFree) this.nextFree = index + span;
    return "ESP_OK";
  }

  /** Copies every written item to another page, entry by entry. */
  copyItemsTo(other: NvsPage): NvsError {
    if (this.firstUsed === NO_ENTRY) return "ESP_ERR_NVS_NOT_FOUND";
    if (other.state === pageState.uninitialised) other.#initialise();
    for (let index = this.firstUsed; index < ENTRY_COUNT; ) {
      if (this.bitmap.get(index) !== entryState.written) {
        index += 1;
        continue;
      }
      const item = this.readEntry(index);
      const end = index + item.span;
      other.hashes.insert(item, other.nextFree);
      other.#writeEntry(item.bytes);
      if (end > ENTRY_COUNT) return "ESP_FAIL";
      for (let at = index + 1; at < end; at += 1) other.#writeEntry(this.readEntry(at).bytes);
      index = end;
    }
    return "ESP_OK";
  }

  markFull(): NvsError {
    if (this.state !== pageState.active) return "ESP_ERR_NVS_INVALID_STATE";
    this.#alterPageState(pageState.full);
    return "ESP_OK";
  }

  markFreeing(): NvsError {
    if (this.state !== pageState.full && this.state !== pageState.active) return "ESP_ERR_NVS_INVALID_STATE";
    this.#alterPageState(pageState.freeing);
    return "ESP_OK";
  }

  /** Erases the sector: the page is free again. */
  erase(): void {
    this.partition.eraseSector(this.offset);
    this.usedCount = 0;
    this.firstUsed = NO_ENTRY;
    this.nextFree = NO_ENTRY;
    this.state = pageState.uninitialised;
    this.hashes.clear();
  }

  /** Sets the state of one entry in memory and writes its word of the bitmap. */
  alterEntryState(index: number, state: number): void {
    this.bitmap.set(index, state);
    this.#writeBitmapWord(index);
  }

  readEntry(index: number): NvsItem {
    return new NvsItem(this.partition.readEntry(this.entryOffset(index)));
  }

  entryOffset(index: number): number {
    return this.offset + ENTRIES_OFFSET + index * ENTRY_BYTES;
  }

  #hasContents(): boolean {
    const { state } = this;
    return state !== pageState.uninitialised && state !== pageState.invalid && state !== pageState.corrupt;
  }

  #searchStart(query: ItemQuery, from: number): number {
    const start = Math.max(from, this.firstUsed);
    const { namespace, key, type, chunkIndex = CHUNK_ANY } = query;
    // A blob index has chunk number CHUNK_ANY, so its hash says nothing about the blob's chunks.
    if (namespace === NAMESPACE_ANY || key === undefined) return start;
    if (type === itemType.blobData && chunkIndex === CHUNK_ANY) return start;
    return this.hashes.find(NvsItem.create(namespace, type, 0, key, chunkIndex), start);
  }

  #hasPayload(item: NvsItem, index: number, expected: Uint8Array): boolean {
    // The library compares the checksum of what it read, which it never sets for an empty value: empty never equals empty.
    if (item.span === 1) return false;
    for (let at = 0; at < item.span - 1; at += 1) {
      const part = expected.subarray(at * ENTRY_BYTES, (at + 1) * ENTRY_BYTES);
      if (!startsWith(this.readEntry(index + 1 + at).bytes, part)) return false;
    }
    return true;
  }

  #initialise(): void {
    const header = new Uint8Array(32).fill(0xff);
    const view = new DataView(header.buffer);
    this.state = pageState.active;
    view.setUint32(0, this.state, true);
    view.setUint32(4, this.#sequence, true);
    view.setUint8(8, this.version);
    view.setUint32(28, crc32(header.subarray(4, 28)), true);
    this.partition.writeRaw(this.offset, header);
    this.nextFree = 0;
    this.bitmap.clear();
  }

  #writeEntry(bytes: Uint8Array): void {
    this.partition.writeEntries(this.entryOffset(this.nextFree), bytes);
    this.alterEntryState(this.nextFree, entryState.written);
    if (this.firstUsed === NO_ENTRY) this.firstUsed = this.nextFree;
    this.#countUsed(1);
    this.nextFree += 1;
  }

  /** Whole entries in one write, then the tail in a separate padded entry. */
  #writePayload(payload: Uint8Array): void {
    const rest = payload.length % ENTRY_BYTES;
    const whole = payload.subarray(0, payload.length - rest);
    if (whole.length > 0) {
      const end = this.nextFree + whole.length / ENTRY_BYTES;
      this.partition.writeEntries(this.entryOffset(this.nextFree), whole);
      this.#alterRange(this.nextFree, end, entryState.written);
      this.#countUsed(end - this.nextFree);
      this.nextFree = end;
    }
    if (rest > 0) {
      const tail = new Uint8Array(ENTRY_BYTES).fill(0xff);
      tail.set(payload.subarray(whole.length));
      this.#writeEntry(tail);
    }
  }

  /** The bitmap words of entries `begin` to `end` (exclusive), the last word first. */
  #alterRange(begin: number, end: number, state: number): void {
    for (let index = end - 1; index >= begin; index -= 1) {
      this.bitmap.set(index, state);
      if (index === begin || wordOf(index - 1) !== wordOf(index)) this.#writeBitmapWord(index);
    }
  }

  #writeBitmapWord(index: number): void {
    const offset = this.offset + BITMAP_OFFSET + wordOf(index) * 4;
    this.partition.writeRaw(offset, littleEndian(this.bitmap.wordAt(index)));
  }

  #alterPageState(state: number): void {
    this.partition.writeRaw(this.offset, littleEndian(state));
    this.state = state;
  }

  #advanceFirstUsed(from: number): void {
    this.firstUsed = NO_ENTRY;
    const end = Math.min(this.nextFree, ENTRY_COUNT);
    for (let index = from; index < end && this.firstUsed === NO_ENTRY; index += 1) {
      if (this.bitmap.get(index) === entryState.written) this.firstUsed = index;
    }
  }

  /** A 16-bit count that wraps as the library's does. */
  #countUsed(change: number): void {
    this.usedCount = (this.usedCount + change) & 0xffff;
  }
}

function startsWith(bytes: Uint8Array, head: Uint8Array): boolean {
  return head.every((byte, index) => bytes[index] === byte);
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}
