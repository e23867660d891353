// The ESP32 partition table: compiled from CSV as ESP-IDF's gen_esp32part.py 1.5 does, and checked and read back as
// the boot loader does. It never touches flash and ignores the content of partitions.
//
//   at 0x8000, up to 0xC00 bytes, 32 bytes an entry
//   ┌────────────┬──────┬─────────┬────────────┬──────────┬───────────┬───────────┐
//   │ u16 0x50AA │ type │ subtype │ u32 offset │ u32 size │ label[16] │ u32 flags │  …  then EB EB FF×14 MD5[16], rest FF
//   └────────────┴──────┴─────────┴────────────┴──────────┴───────────┴───────────┘

import { createHash } from "node:crypto";
import {
  APP_SUBTYPE_FACTORY,
  APP_SUBTYPE_OTA_0,
  APP_SUBTYPE_TEST,
  DATA_SUBTYPE_OTA,
  OTA_SLOT_LIMIT,
  PARTITION_TABLE_BYTES,
  PARTITION_TYPE_APP,
  PARTITION_TYPE_DATA,
  type Partition,
  PartitionTableError,
} from "./partition.js";

export * from "./partition.js";
export { compilePartitionCsv, type PartitionCsvOptions } from "./partition-csv.js";

const ENTRY_BYTES = 32;
const LABEL_BYTES = 16;
const ENTRY_MAGIC = 0x50aa;
const MD5_MAGIC = 0xebeb;
const END_MAGIC = 0xffff;

/** What the boot loader takes out of a table: of several partitions of one kind the last, unlike findPartition. */
export interface BootPartitions {
  readonly otadata: Partition | undefined;
  readonly factory: Partition | undefined;
  readonly test: Partition | undefined;
  /** Number of ota_n entries, which is the divisor of the sequence number even where slots are missing. */
  readonly appCount: number;
  /** By slot number, with holes where a slot is missing. */
  readonly ota: readonly (Partition | undefined)[];
}

/**
 * Reads a binary table with the boot loader's checks (magic numbers, MD5 row, end, every partition inside the flash).
 * @param bytes the table, without or with its padding; what is missing counts as 0xFF.
 * @throws PartitionTableError
 */
export function parsePartitionTable(
  bytes: Uint8Array,
  options: { readonly flashBytes?: number } = {},
): Partition[] {
  const table = new Uint8Array(PARTITION_TABLE_BYTES).fill(0xff);
  table.set(bytes.subarray(0, PARTITION_TABLE_BYTES));
  const view = new DataView(table.buffer);
  const partitions: Partition[] = [];
  let md5Found = false;
  for (let at = 0; at < PARTITION_TABLE_BYTES; at += ENTRY_BYTES) {
    const magic = view.getUint16(at, true);
    if (magic === ENTRY_MAGIC) {
      const partition = readEntry(view, at);
      checkInsideFlash(partition, at / ENTRY_BYTES, options.flashBytes ?? 0xffffffff);
      partitions.push(partition);
    } else if (magic === MD5_MAGIC) {
      if (md5Found) throw invalid("the partition table has a second MD5 row");
      if (!isMd5Right(table, at)) throw invalid(`MD5 of the ${at / ENTRY_BYTES} partition rows is wrong`);
      md5Found = true;
    } else if (at !== 0 && magic === END_MAGIC && view.getUint16(at + 2, true) === END_MAGIC) {
      // Entries behind the MD5 row are read by the loader's count, which skips as many at the end as there are MD5 rows.
      return md5Found ? withoutOneRow(table, at / ENTRY_BYTES - 1) : partitions;
    } else {
      throw invalid(`partition row ${at / ENTRY_BYTES} has the magic number 0x${magic.toString(16)}`);
    }
  }
  throw invalid("the partition table has no end");
}

/** The first partition, in the table's order, of this type, subtype or label; what is left out matches everything. */
export function findPartition(
  partitions: readonly Partition[],
  wanted: { readonly type?: number; readonly subtype?: number; readonly label?: string },
): Partition | undefined {
  return partitions.find(
    (partition) =>
      (wanted.type === undefined || partition.type === wanted.type) &&
      (wanted.subtype === undefined || partition.subtype === wanted.subtype) &&
      (wanted.label === undefined || partition.label === wanted.label),
  );
}

/** ota_0, ota_1 … in order up to the first that is missing, as the app sees them. */
export function otaSlots(partitions: readonly Partition[]): Partition[] {
  const slots: Partition[] = [];
  for (let slot = 0; slot < OTA_SLOT_LIMIT; slot += 1) {
    const found = findPartition(partitions, { type: PARTITION_TYPE_APP, subtype: APP_SUBTYPE_OTA_0 + slot });
    if (found === undefined) break;
    slots.push(found);
  }
  return slots;
}

/** Whether otadata can select it: not the factory app. */
export function isOtaSlot(partition: Partition): boolean {
  const slot = partition.subtype - APP_SUBTYPE_OTA_0;
  return partition.type === PARTITION_TYPE_APP && slot >= 0 && slot < OTA_SLOT_LIMIT;
}

/** Sorts a table into what the boot loader works with. */
export function bootPartitions(partitions: readonly Partition[]): BootPartitions {
  let otadata: Partition | undefined;
  let factory: Partition | undefined;
  let test: Partition | undefined;
  let appCount = 0;
  const ota: (Partition | undefined)[] = [];
  for (const partition of partitions) {
    if (partition.type === PARTITION_TYPE_DATA && partition.subtype === DATA_SUBTYPE_OTA) otadata = partition;
    if (partition.type !== PARTITION_TYPE_APP) continue;
    if (partition.subtype === APP_SUBTYPE_FACTORY) factory = partition;
    else if (partition.subtype === APP_SUBTYPE_TEST) test = partition;
    else if ((partition.subtype & ~0x0f) === APP_SUBTYPE_OTA_0) {
      ota[partition.subtype & 0x0f] = partition;
      appCount += 1;
    }
  }
  return { otadata, factory, test, appCount, ota };
}

function readEntry(view: DataView, at: number): Partition {
  const label = new Uint8Array(view.buffer, at + 12, LABEL_BYTES);
  const end = label.indexOf(0);
  return {
    label: new TextDecoder().decode(label.subarray(0, end === -1 ? LABEL_BYTES : end)),
    type: view.getUint8(at + 2),
    subtype: view.getUint8(at + 3),
    offset: view.getUint32(at + 4, true),
    size: view.getUint32(at + 8, true),
    flags: view.getUint32(at + 28, true),
  };
}

/** The sum is a 32-bit one in the boot loader: a huge size wraps around and passes. */
function checkInsideFlash(partition: Partition, row: number, flashBytes: number): void {
  const { offset, size } = partition;
  if (offset > flashBytes || (offset + size) >>> 0 > flashBytes) {
    throw new PartitionTableError(
      "ESP_ERR_INVALID_SIZE",
      `partition ${row} "${partition.label}" (${size} bytes at 0x${offset.toString(16)}) leaves the flash of ${flashBytes} bytes`,
    );
  }
}

function isMd5Right(table: Uint8Array, at: number): boolean {
  const digest = createHash("md5").update(table.subarray(0, at)).digest();
  return digest.equals(table.subarray(at + 16, at + ENTRY_BYTES));
}

/** The loader reads the first n rows, n being the number of rows without the MD5 row, wherever that row stands. */
function withoutOneRow(table: Uint8Array, rowCount: number): Partition[] {
  const view = new DataView(table.buffer);
  return Array.from({ length: rowCount }, (_, row) => readEntry(view, row * ENTRY_BYTES));
}

function invalid(message: string): PartitionTableError {
  return new PartitionTableError("ESP_ERR_INVALID_STATE", message);
}
