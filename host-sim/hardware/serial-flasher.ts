// What a serial flasher does with a new device, by cable: erases the flash, writes the partition table and the first app. It needs
// no firmware, takes no virtual time and causes no wear.

import type { Flash } from "./flash/flash.js";
import {
  APP_SUBTYPE_FACTORY,
  APP_SUBTYPE_OTA_0,
  compilePartitionCsv,
  findPartition,
  PARTITION_TABLE_OFFSET,
  PARTITION_TYPE_APP,
  parsePartitionTable,
} from "./partitions/partition-table.js";

/**
 * Writes the image to factory, or to ota_0 where there is no factory partition.
 * @throws PartitionTableError when the table does not fit the flash, RangeError when the image is larger than its partition
 */
export function flashFactory(flash: Flash, partitionCsv: string, image: Uint8Array): void {
  const table = compilePartitionCsv(partitionCsv, { flashBytes: flash.sizeBytes });
  const partitions = parsePartitionTable(table, { flashBytes: flash.sizeBytes });
  const app = { type: PARTITION_TYPE_APP };
  const partition =
    findPartition(partitions, { ...app, subtype: APP_SUBTYPE_FACTORY }) ??
    findPartition(partitions, { ...app, subtype: APP_SUBTYPE_OTA_0 });
  if (partition === undefined) throw new Error("the partition table has neither factory nor ota_0");
  if (image.length > partition.size) {
    throw new RangeError(`image is ${image.length} bytes, partition ${partition.label} is ${partition.size}`);
  }
  flash.bytes.fill(0xff);
  flash.bytes.set(table, PARTITION_TABLE_OFFSET);
  flash.bytes.set(image, partition.offset);
}
