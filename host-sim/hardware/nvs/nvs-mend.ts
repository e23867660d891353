// NVS as a start of our firmware opens it, or erases it where nothing else helps: the twin of firmware/platform/native/skyslot-nvs.c. What
// is not opened then makes the SDK's main function give up. ESP-IDF's own nvs_flash_init never erases.

import type { Flash } from "../flash/flash.js";
import {
  DATA_SUBTYPE_NVS,
  findPartition,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../partitions/partition-table.js";
import type { Nvs } from "./nvs.js";
import { type HmacKeySource, initNvs, type NvsInitError } from "./nvs-init.js";

export interface StartedNvs {
  readonly error: NvsInitError;
  readonly nvs?: Nvs | undefined;
  /** Why it was erased. */
  readonly erasedFor?: NvsInitError;
}

/**
 * @param isOnTrial the image that starts is: one that cannot read the settings is rolled back to one that can
 * @param hmacKey as of hmacKeySource
 */
export function startNvs(
  flash: Flash,
  partitions: readonly Partition[],
  isOnTrial: () => boolean,
  hmacKey?: HmacKeySource,
): StartedNvs {
  const found = initNvs(flash, partitions, hmacKey);
  if (!isMendedByErasing(found.error) || isOnTrial()) return found;
  const { offset, size } = findPartition(partitions, {
    type: PARTITION_TYPE_DATA,
    subtype: DATA_SUBTYPE_NVS,
  })!;
  flash.erase(offset, size);
  return { ...initNvs(flash, partitions, hmacKey), erasedFor: found.error };
}

/** A newer version of NVS wrote the pages, or there are more of them than the partition has room for. */
export const isMendedByErasing = (error: NvsInitError): boolean =>
  error === "ESP_ERR_NVS_NEW_VERSION_FOUND" || error === "ESP_ERR_NVS_NO_FREE_PAGES";
