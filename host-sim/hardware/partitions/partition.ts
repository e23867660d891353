// What a partition is: the entry, its numbers and the error of a bad table. It holds no behaviour.

export const PARTITION_TABLE_OFFSET = 0x8000;
export const PARTITION_TABLE_BYTES = 0xc00;
export const PARTITION_FLAG_ENCRYPTED = 1;
export const PARTITION_FLAG_READ_ONLY = 2;

export const PARTITION_TYPE_APP = 0;
export const PARTITION_TYPE_DATA = 1;
export const APP_SUBTYPE_FACTORY = 0;
export const APP_SUBTYPE_OTA_0 = 0x10;
export const APP_SUBTYPE_TEST = 0x20;
export const DATA_SUBTYPE_OTA = 0;
export const DATA_SUBTYPE_NVS = 2;
export const DATA_SUBTYPE_NVS_KEYS = 4;

/** More app slots do not fit into the subtype numbers 0x10 to 0x1F. */
export const OTA_SLOT_LIMIT = 16;

/** One entry of the table; offset and size in bytes of flash, flags as PARTITION_FLAG_…. */
export interface Partition {
  readonly label: string;
  readonly type: number;
  readonly subtype: number;
  readonly offset: number;
  readonly size: number;
  readonly flags: number;
}

/** A table that ESP-IDF would refuse. `code` is that of esp_partition_table_verify, or INVALID_CSV. */
export class PartitionTableError extends Error {
  override readonly name = "PartitionTableError";
  readonly code: "ESP_ERR_INVALID_STATE" | "ESP_ERR_INVALID_SIZE" | "INVALID_CSV";
  constructor(code: PartitionTableError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
