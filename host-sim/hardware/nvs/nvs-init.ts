// nvs_flash_init as a firmware calls it at start: the table's NVS partition, encrypted when the table has a partition for keys. Keys
// are made at the first start, before anything is stored.

import type { Flash } from "../flash/flash.js";
import {
  DATA_SUBTYPE_NVS,
  DATA_SUBTYPE_NVS_KEYS,
  findPartition,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../partitions/partition-table.js";
import { Nvs } from "./nvs.js";
import type { NvsError } from "./nvs-errors.js";
import { generateNvsKeys, type NvsKeysError, readNvsKeys } from "./nvs-keys.js";
import type { NvsKeys } from "./nvs-partition.js";

export type NvsInitError = NvsError | NvsKeysError | "ESP_ERR_NOT_FOUND";

export function initNvs(
  flash: Flash,
  partitions: readonly Partition[],
): { readonly error: NvsInitError; readonly nvs?: Nvs } {
  const find = (subtype: number) => findPartition(partitions, { type: PARTITION_TYPE_DATA, subtype });
  const partition = find(DATA_SUBTYPE_NVS);
  if (partition === undefined) return { error: "ESP_ERR_NOT_FOUND" };
  const keyPartition = find(DATA_SUBTYPE_NVS_KEYS);
  const { error, keys }: FoundKeys = keyPartition === undefined ? {} : keysOf(flash, keyPartition);
  if (error !== undefined) return { error };
  return Nvs.mount(flash, partition.offset, partition.size, keys);
}

type FoundKeys = { readonly error?: NvsKeysError | undefined; readonly keys?: NvsKeys | undefined };

function keysOf(flash: Flash, partition: Partition): FoundKeys {
  const found = readNvsKeys(flash, partition);
  if (found.error !== "ESP_ERR_NVS_KEYS_NOT_INITIALIZED") return found;
  return { keys: generateNvsKeys(flash, partition) };
}
