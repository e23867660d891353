// The names that types and subtypes of partitions have in CSVs, both ways. It holds no rules.

import {
  APP_SUBTYPE_FACTORY,
  APP_SUBTYPE_OTA_0,
  APP_SUBTYPE_TEST,
  DATA_SUBTYPE_NVS,
  DATA_SUBTYPE_NVS_KEYS,
  DATA_SUBTYPE_OTA,
  OTA_SLOT_LIMIT,
  PARTITION_TYPE_APP,
  PARTITION_TYPE_DATA,
} from "./partition.js";

export type Keywords = Readonly<Record<string, number>>;

export const TYPE_BOOTLOADER = 2;
export const TYPE_PARTITION_TABLE = 3;
export const SUBTYPE_PRIMARY = 0;
export const SUBTYPE_RECOVERY = 2;
export const SUBTYPE_COREDUMP = 3;
export const SUBTYPE_UNDEFINED = 6;
export const SUBTYPE_TEE_OTA = 0x90;

export const TYPES: Keywords = Object.freeze({
  bootloader: TYPE_BOOTLOADER,
  partition_table: TYPE_PARTITION_TABLE,
  app: PARTITION_TYPE_APP,
  data: PARTITION_TYPE_DATA,
});

export const SUBTYPES: Readonly<Record<number, Keywords>> = Object.freeze({
  [TYPE_BOOTLOADER]: Object.freeze({ primary: SUBTYPE_PRIMARY, ota: 1, recovery: SUBTYPE_RECOVERY }),
  [TYPE_PARTITION_TABLE]: Object.freeze({ primary: SUBTYPE_PRIMARY, ota: 1 }),
  [PARTITION_TYPE_APP]: Object.freeze({
    factory: APP_SUBTYPE_FACTORY,
    test: APP_SUBTYPE_TEST,
    ...Object.fromEntries(
      Array.from({ length: OTA_SLOT_LIMIT }, (_, slot) => [`ota_${slot}`, APP_SUBTYPE_OTA_0 + slot]),
    ),
    tee_0: 0x30,
    tee_1: 0x31,
  }),
  [PARTITION_TYPE_DATA]: Object.freeze({
    ota: DATA_SUBTYPE_OTA,
    phy: 1,
    nvs: DATA_SUBTYPE_NVS,
    coredump: SUBTYPE_COREDUMP,
    nvs_keys: DATA_SUBTYPE_NVS_KEYS,
    efuse: 5,
    undefined: SUBTYPE_UNDEFINED,
    esphttpd: 0x80,
    fat: 0x81,
    spiffs: 0x82,
    littlefs: 0x83,
    tee_ota: SUBTYPE_TEE_OTA,
  }),
});

/** How a CSV would say it; a number in hexadecimal where there is no name. */
export function partitionKind({ type, subtype }: { readonly type: number; readonly subtype: number }): {
  readonly type: string;
  readonly subtype: string;
} {
  return { type: nameOf(TYPES, type), subtype: nameOf(SUBTYPES[type] ?? {}, subtype) };
}

function nameOf(keywords: Keywords, value: number): string {
  return Object.keys(keywords).find((name) => keywords[name] === value) ?? `0x${value.toString(16)}`;
}
