// The two otadata entries that say which app slot boots: their layout and the rules by which the boot loader and the
// app choose between them. It never touches flash except through readOtadata and writeOtadataEntry.
//
//   sector 0, sector 1, each: u32 seq | label[20] | u32 state | u32 crc32(seq)        slot = (seq − 1) mod slot count

import { crc32 } from "../crc32.js";
import type { EspError } from "../esp-error.js";
import { type Flash, SECTOR_BYTES } from "../flash/flash.js";
import { flashResult } from "../flash/sector-faults.js";
import type { Partition } from "../partitions/partition.js";

export const OTADATA_ENTRY_BYTES = 32;
/** An erased sequence number: the entry is empty. */
export const EMPTY_SEQUENCE = 0xffffffff;

/** esp_ota_img_states_t. Other numbers are possible in flash and count as neither invalid nor new. */
export const OTA_STATE = Object.freeze({
  NEW: 0,
  PENDING_VERIFY: 1,
  VALID: 2,
  INVALID: 3,
  ABORTED: 4,
  UNDEFINED: 0xffffffff,
});

export interface OtadataEntry {
  readonly sequence: number;
  /** 20 bytes, kept as they are and never looked at. */
  readonly label: Uint8Array;
  readonly state: number;
  readonly crc: number;
}

/** The entry of sector 0 and that of sector 1. */
export type Otadata = readonly [OtadataEntry, OtadataEntry];

/** Which of the two entries. */
export type EntryIndex = 0 | 1;

export function decodeOtadataEntry(bytes: Uint8Array): OtadataEntry {
  const view = new DataView(bytes.buffer, bytes.byteOffset, OTADATA_ENTRY_BYTES);
  return {
    sequence: view.getUint32(0, true),
    label: bytes.slice(4, 24),
    state: view.getUint32(24, true),
    crc: view.getUint32(28, true),
  };
}

export function encodeOtadataEntry(entry: OtadataEntry): Uint8Array {
  const bytes = new Uint8Array(OTADATA_ENTRY_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, entry.sequence, true);
  bytes.set(entry.label, 4);
  view.setUint32(24, entry.state, true);
  view.setUint32(28, entry.crc, true);
  return bytes;
}

/** An entry with an empty label and the right CRC. */
export function makeOtadataEntry(sequence: number, state: number): OtadataEntry {
  return { sequence, label: new Uint8Array(20).fill(0xff), state, crc: sequenceCrc(sequence) };
}

/** The CRC covers the sequence number alone. */
export function sequenceCrc(sequence: number): number {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, sequence, true);
  return crc32(bytes);
}

export function readOtadata(flash: Flash, partition: Partition): Otadata {
  return [
    decodeOtadataEntry(flash.read(partition.offset, OTADATA_ENTRY_BYTES)),
    decodeOtadataEntry(flash.read(partition.offset + SECTOR_BYTES, OTADATA_ENTRY_BYTES)),
  ];
}

/** Erases the entry's sector and writes it: power lost in between loses the entry. @returns ESP_OK or ESP_ERR_FLASH_OP_FAIL */
export function writeOtadataEntry(
  flash: Flash,
  partition: Partition,
  index: EntryIndex,
  entry: OtadataEntry,
): EspError {
  const offset = partition.offset + index * SECTOR_BYTES;
  return flashResult(() => {
    flash.eraseSector(offset);
    flash.write(offset, encodeOtadataEntry(entry));
  });
}

/** Empty, INVALID or ABORTED; the CRC does not matter here. */
export function isInvalid(entry: OtadataEntry): boolean {
  return (
    entry.sequence === EMPTY_SEQUENCE ||
    entry.state === OTA_STATE.INVALID ||
    entry.state === OTA_STATE.ABORTED
  );
}

export function isCrcRight(entry: OtadataEntry): boolean {
  return entry.crc === sequenceCrc(entry.sequence);
}

export function isValid(entry: OtadataEntry): boolean {
  return !isInvalid(entry) && isCrcRight(entry);
}

/** The valid entry with the highest sequence number, entry 0 when they are equal; undefined when none is valid. */
export function activeEntry(otadata: Otadata): EntryIndex | undefined {
  return selectEntry(otadata, [isValid(otadata[0]), isValid(otadata[1])], "highest");
}

/** The candidate with the highest or lowest sequence number. */
export function selectEntry(
  otadata: Otadata,
  candidates: readonly [boolean, boolean],
  which: "highest" | "lowest",
): EntryIndex | undefined {
  if (candidates[0] && candidates[1]) {
    const [first, second] = [otadata[0].sequence, otadata[1].sequence];
    return (which === "highest" ? first >= second : first <= second) ? 0 : 1;
  }
  if (candidates[0]) return 0;
  return candidates[1] ? 1 : undefined;
}

/** The slot that a sequence number stands for; the subtraction is a 32-bit one, so 0 is not slot −1. */
export function slotOfSequence(sequence: number, slotCount: number): number {
  return ((sequence - 1) >>> 0) % slotCount;
}
