// Whether the entries of an NVS partition can be read with these keys, or without any: page headers and bitmaps are plain in an encrypted
// one too, its entries' checksums do not hold. Reads only; mounting would take such entries for broken and erase them.

import { crc32 } from "../hardware/crc32.js";
import type { Flash } from "../hardware/flash/flash.js";
import { EntryBitmap, entryState } from "../hardware/nvs/nvs-bitmap.js";
import { ENTRY_BYTES, ENTRY_COUNT, isVariableLength, NvsItem } from "../hardware/nvs/nvs-item.js";
import { type NvsKeys, type NvsPartition, openNvsPartition } from "../hardware/nvs/nvs-partition.js";
import type { Partition } from "../hardware/partitions/partition.js";

const PAGE_BYTES = 4096;
const HEADER_BYTES = 32;
const BITMAP_BYTES = 32;
const ENTRIES_OFFSET = HEADER_BYTES + BITMAP_BYTES;

export interface ReadableCount {
  /** Entries that a page says to be written, those behind the first of a readable item left out. */
  readonly written: number;
  /** Those of them whose checksum holds. */
  readonly readable: number;
}

export function countReadable(flash: Flash, { offset, size }: Partition, keys?: NvsKeys): ReadableCount {
  const partition = openNvsPartition(flash, offset, keys);
  let written = 0;
  let readable = 0;
  for (let page = 0; page < size; page += PAGE_BYTES) {
    if (!hasSoundHeader(partition, page)) continue;
    const bitmap = new EntryBitmap();
    bitmap.load(partition.readRaw(page + HEADER_BYTES, BITMAP_BYTES));
    for (let index = 0; index < ENTRY_COUNT; index += 1) {
      if (bitmap.get(index) !== entryState.written) continue;
      written += 1;
      const item = new NvsItem(partition.readEntry(page + ENTRIES_OFFSET + index * ENTRY_BYTES));
      if (!item.isConsistent(index)) continue;
      readable += 1;
      if (isVariableLength(item.type)) index += item.span - 1;
    }
  }
  return { written, readable };
}

function hasSoundHeader(partition: NvsPartition, page: number): boolean {
  const header = partition.readRaw(page, HEADER_BYTES);
  const crc = new DataView(header.buffer, header.byteOffset).getUint32(HEADER_BYTES - 4, true);
  return crc === crc32(header.subarray(4, HEADER_BYTES - 4));
}
