// esp_partition_erase_range and esp_partition_write of ESP-IDF v6.0: a partition's bounds and its read-only flag, then the
// flash. Never looks at what is written. What is encrypted is written in units of 16 bytes (esp_flash_write_encrypted), and stored as it is.

import type { EspError } from "../esp-error.js";
import type { Flash } from "../flash/flash.js";
import { flashResult } from "../flash/sector-faults.js";
import { PARTITION_FLAG_ENCRYPTED, PARTITION_FLAG_READ_ONLY, type Partition } from "./partition.js";

/** `offset` and `length` in bytes of the partition, whole sectors. */
export function erasePartition(flash: Flash, partition: Partition, offset: number, length: number): EspError {
  const refusal = refusalOf(partition, offset, length);
  return refusal ?? flashResult(() => flash.erase(partition.offset + offset, length));
}

/** `offset` in bytes of the partition. */
export function writePartition(
  flash: Flash,
  partition: Partition,
  offset: number,
  bytes: Uint8Array,
): EspError {
  const refusal =
    refusalOf(partition, offset, bytes.length) ?? unitRefusalOf(partition, offset, bytes.length);
  return refusal ?? flashResult(() => flash.write(partition.offset + offset, bytes));
}

export function isReadOnly(partition: Partition): boolean {
  return (partition.flags & PARTITION_FLAG_READ_ONLY) !== 0;
}

/** What writes have to be multiples of. */
export const writeUnitBytes = (partition: Partition | undefined): number =>
  partition !== undefined && (partition.flags & PARTITION_FLAG_ENCRYPTED) !== 0 ? 16 : 1;

function unitRefusalOf(partition: Partition, offset: number, length: number): EspError | undefined {
  const unit = writeUnitBytes(partition);
  if (offset % unit !== 0) return "ESP_ERR_INVALID_ARG";
  return length % unit === 0 ? undefined : "ESP_ERR_INVALID_SIZE";
}

function refusalOf(partition: Partition, offset: number, length: number): EspError | undefined {
  if (isReadOnly(partition)) return "ESP_ERR_NOT_ALLOWED";
  if (offset > partition.size) return "ESP_ERR_INVALID_ARG";
  return length > partition.size - offset ? "ESP_ERR_INVALID_SIZE" : undefined;
}
