// The contents of the NVS partitions of a flash, with the secrets covered. Mounting repairs and so writes: it is done on a copy.

import { createHash } from "node:crypto";
import { Flash } from "../hardware/flash/flash.js";
import { Nvs, type NvsStats, type NvsType, type NvsValue } from "../hardware/nvs/nvs.js";
import { readNvsKeys } from "../hardware/nvs/nvs-keys.js";
import type { NvsKeys } from "../hardware/nvs/nvs-partition.js";
import {
  DATA_SUBTYPE_NVS,
  DATA_SUBTYPE_NVS_KEYS,
  findPartition,
  PARTITION_TYPE_DATA,
  type Partition,
} from "../hardware/partitions/partition-table.js";
import { countReadable } from "./nvs-readable.js";
import type { FlashFile } from "./open.js";
import { coverSecrets } from "./secrets.js";

export interface NvsEntryReport {
  readonly namespace: string;
  readonly key: string;
  readonly type: NvsType;
  /** Integers in decimals, texts as they are, blobs in hexadecimal or, when they are long, as `sha256:LENGTH:HEX`. */
  readonly value: string | null;
  /** Why it cannot be read. */
  readonly error?: string;
}

export interface NvsReport {
  readonly partition: string;
  readonly encrypted: boolean;
  /** ESP_OK, or why it cannot be mounted or read. */
  readonly mount: string;
  /** Entries of 32 bytes. */
  readonly stats: NvsStats | null;
  readonly entries: readonly NvsEntryReport[];
}

const SHOWN_BLOB_BYTES = 64;

export interface NvsOptions {
  readonly showSecrets?: boolean;
  /** Keys to try on what is encrypted, beside those of a partition nvs_keys that can be read. */
  readonly nvsKeys?: readonly NvsKeys[];
}

export function listNvs(file: FlashFile, options: NvsOptions = {}): NvsReport[] {
  const isNvs = ({ type, subtype }: Partition) =>
    type === PARTITION_TYPE_DATA && subtype === DATA_SUBTYPE_NVS;
  return file.partitions.filter(isNvs).map((partition) => reportOf(file, partition, options));
}

function reportOf({ flash, partitions }: FlashFile, partition: Partition, options: NvsOptions): NvsReport {
  const { label, offset, size } = partition;
  const keyPartition = findPartition(partitions, {
    type: PARTITION_TYPE_DATA,
    subtype: DATA_SUBTYPE_NVS_KEYS,
  });
  const ownKeys = keyPartition && readNvsKeys(flash, keyPartition).keys;
  const known = [...(ownKeys ? [ownKeys] : []), ...(options.nvsKeys ?? [])];
  const plain = countReadable(flash, partition);
  const isUnreadable = plain.written > 0 && plain.readable === 0;
  const keys = isUnreadable
    ? known.find((one) => countReadable(flash, partition, one).readable > 0)
    : plain.written === 0
      ? ownKeys
      : undefined;
  if (isUnreadable && keys === undefined) {
    const mount = known.length > 0 ? `its keys are others (${NO_ENTRY})` : NO_KEYS;
    return { partition: label, encrypted: true, mount, stats: null, entries: [] };
  }
  const copy = new Flash(size, flash.read(offset, size));
  const { error, nvs } = Nvs.mount(copy, 0, size, keys);
  return {
    partition: label,
    encrypted: keys !== undefined,
    mount: error,
    stats: nvs?.stats() ?? null,
    entries: nvs === undefined ? [] : entriesOf(nvs, options.showSecrets ?? false),
  };
}

const NO_ENTRY = "not one entry can be read with those that are given";
const NO_KEYS =
  "so its entries cannot be read (unless all of them are damaged): --nvs-keys or --efuse names a file with its keys";

function entriesOf(nvs: Nvs, showSecrets: boolean): NvsEntryReport[] {
  return nvs.list().map(({ namespace, key, type }) => {
    const { error, value } = nvs.get(namespace, key, type);
    if (value === undefined) return { namespace, key, type, value: null, error };
    const text = textOf(value);
    return { namespace, key, type, value: showSecrets ? text : coverSecrets(key, type, text) };
  });
}

function textOf(value: NvsValue): string {
  if (!(value instanceof Uint8Array)) return String(value);
  if (value.length <= SHOWN_BLOB_BYTES) return Buffer.from(value).toString("hex");
  return `sha256:${value.length}:${createHash("sha256").update(value).digest("hex")}`;
}
