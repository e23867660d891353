// Where an operation works: the partitions of the sweep's devices.

import type { FlashOperation } from "../hardware/flash/flash.js";
import {
  DATA_SUBTYPE_NVS,
  DATA_SUBTYPE_OTA,
  findPartition,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../hardware/partitions/partition-table.js";
import type { Place } from "./cuts.js";

/** Apps begin behind the first 64 KiB, and everything else ends there. */
export const isInSlot = ({ offset }: FlashOperation): boolean => offset >= 0x10000;

export function placeOf(operation: FlashOperation, otadata: Partition): Place {
  const { offset } = operation;
  if (offset >= otadata.offset && offset < otadata.offset + otadata.size) return "otadata";
  return isInSlot(operation) ? "slot" : "nvs";
}

export function otadataOf(partitions: readonly Partition[]): Partition {
  const otadata = findPartition(partitions, { type: PARTITION_TYPE_DATA, subtype: DATA_SUBTYPE_OTA });
  if (otadata === undefined) throw new Error("the partition table has no otadata");
  return otadata;
}

export function nvsOf(partitions: readonly Partition[]): Partition {
  const nvs = findPartition(partitions, { type: PARTITION_TYPE_DATA, subtype: DATA_SUBTYPE_NVS });
  if (nvs === undefined) throw new Error("the partition table has no NVS");
  return nvs;
}
