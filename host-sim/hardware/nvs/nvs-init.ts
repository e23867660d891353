// nvs_flash_init as a firmware calls it at start: the table's NVS partition, encrypted when the image is built to have the HMAC peripheral
// derive the keys, or when the table has a partition for keys. Keys are made at the first start, before anything is stored.

import { CHIPS, type Chip } from "../chips.js";
import type { Efuse } from "../efuse.js";
import type { Flash } from "../flash/flash.js";
import { nvsKindIn, OWN_DESCRIPTION_END } from "../image/own-description.js";
import {
  DATA_SUBTYPE_NVS,
  DATA_SUBTYPE_NVS_KEYS,
  findPartition,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../partitions/partition-table.js";
import { Nvs } from "./nvs.js";
import type { NvsError } from "./nvs-errors.js";
import { deriveNvsKeys, generateNvsKeys, type NvsKeysError, readNvsKeys } from "./nvs-keys.js";
import type { NvsKeys } from "./nvs-partition.js";

export type NvsInitError = NvsError | NvsKeysError | "ESP_ERR_NOT_FOUND";

/** What the HMAC peripheral works with, burned when it is asked for the first time; nothing where the block is in use for something else. */
export type HmacKeySource = () => Uint8Array | undefined;

interface NvsChip {
  readonly chip: Chip;
  readonly efuse: Efuse;
  /** In [0, 1), for a new key. */
  readonly random: () => number;
}

/** For the image in a slot; undefined where it does without the peripheral, or the chip has none. */
export function hmacKeySource(
  flash: Flash,
  { offset }: Partition,
  { chip, efuse, random }: NvsChip,
): HmacKeySource | undefined {
  const kind = nvsKindIn(flash.view(offset, OWN_DESCRIPTION_END)) ?? "";
  if (!kind.startsWith("hmac") || !CHIPS[chip].hasHmac) return undefined;
  return () => efuse.hmacKey(Number(kind.slice("hmac".length)), random);
}

/** @param hmacKey as of hmacKeySource */
export function initNvs(
  flash: Flash,
  partitions: readonly Partition[],
  hmacKey?: HmacKeySource,
): { readonly error: NvsInitError; readonly nvs?: Nvs } {
  const find = (subtype: number) => findPartition(partitions, { type: PARTITION_TYPE_DATA, subtype });
  const partition = find(DATA_SUBTYPE_NVS);
  if (partition === undefined) return { error: "ESP_ERR_NOT_FOUND" };
  const { error, keys } = hmacKey ? derivedKeys(hmacKey) : storedKeys(flash, find(DATA_SUBTYPE_NVS_KEYS));
  if (error !== undefined) return { error };
  return Nvs.mount(flash, partition.offset, partition.size, keys);
}

type FoundKeys = { readonly error?: NvsKeysError | undefined; readonly keys?: NvsKeys | undefined };

/** nvs_flash_generate_keys of the HMAC scheme. */
function derivedKeys(hmacKey: HmacKeySource): FoundKeys {
  const key = hmacKey();
  return key ? { keys: deriveNvsKeys(key) } : { error: "ESP_ERR_NVS_SEC_HMAC_KEY_GENERATION_FAILED" };
}

function storedKeys(flash: Flash, partition: Partition | undefined): FoundKeys {
  if (partition === undefined) return {};
  const found = readNvsKeys(flash, partition);
  if (found.error !== "ESP_ERR_NVS_KEYS_NOT_INITIALIZED") return found;
  return { keys: generateNvsKeys(flash, partition) };
}
