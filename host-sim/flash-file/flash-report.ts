// Everything that is known about a device's flash: its partition table, what its boot loader would do, its apps, its settings. It
// changes nothing: the boot loader runs on a copy.

import type { Chip } from "../hardware/chips.js";
import { verifyPartitionImage } from "../hardware/image/image-verifier.js";
import { nvsKindIn, OWN_DESCRIPTION_END } from "../hardware/image/own-description.js";
import { partitionKind } from "../hardware/partitions/partition-names.js";
import { PARTITION_TYPE_APP, type Partition } from "../hardware/partitions/partition-table.js";
import { type BootReport, bootFlash, listOtadata, type OtadataReport } from "./boot-report.js";
import { listNvs, type NvsOptions, type NvsReport } from "./nvs-report.js";
import { type FlashFile, openFlash } from "./open.js";

export interface PartitionReport {
  readonly label: string;
  /** `app`, `data` or the number in hexadecimal. */
  readonly type: string;
  /** `factory`, `ota_0`, `nvs` … or the number in hexadecimal. */
  readonly subtype: string;
  readonly offset: number;
  readonly size: number;
  readonly encrypted: boolean;
  readonly readOnly: boolean;
}

export interface AppReport {
  readonly partition: string;
  /** Why the boot loader refuses it; null: it is sound. `erased` when there is none. */
  readonly problem: string | null;
  readonly version: string | null;
  readonly project: string | null;
  readonly built: string | null;
  readonly idfVersion: string | null;
  readonly secureVersion: number | null;
  /** How it says to keep its settings: `plain`, `hmac5` (encrypted, the key from eFuse KEY5), `nvs-keys`. */
  readonly nvs: string | null;
  /** Bytes of the image. */
  readonly size: number | null;
  /** The appended SHA-256, or that of the whole image. */
  readonly sha256: string | null;
}

export interface FlashReport {
  readonly bytes: number;
  readonly chip: Chip;
  readonly partitions: readonly PartitionReport[];
  /** As they are in the file. */
  readonly otadata: readonly OtadataReport[];
  /** What a boot would do, and otadata after it. */
  readonly boot: BootReport;
  readonly apps: readonly AppReport[];
  readonly nvs: readonly NvsReport[];
}

/** @throws Error that says why the bytes are no flash */
export function reportFlash(
  bytes: Uint8Array,
  options: NvsOptions & { readonly chip?: Chip | undefined } = {},
): FlashReport {
  const file = openFlash(bytes, options.chip);
  return {
    bytes: bytes.length,
    chip: file.chip,
    partitions: file.partitions.map(describePartition),
    otadata: listOtadata(file),
    boot: bootFlash(openFlash(bytes, options.chip)),
    apps: file.partitions
      .filter(({ type }) => type === PARTITION_TYPE_APP)
      .map((app) => describeApp(file, app)),
    nvs: listNvs(file, options),
  };
}

export function describePartition(partition: Partition): PartitionReport {
  const { label, offset, size, flags } = partition;
  const { type, subtype } = partitionKind(partition);
  return { label, type, subtype, offset, size, encrypted: (flags & 1) !== 0, readOnly: (flags & 2) !== 0 };
}

function describeApp({ flash, chip }: FlashFile, partition: Partition): AppReport {
  const verdict = verifyPartitionImage(flash, partition, { chip, stage: "load" });
  const description = verdict.ok ? verdict.description : undefined;
  const text = (value: string | undefined): string | null => value || null;
  return {
    partition: partition.label,
    problem: verdict.ok ? null : problemOf(flash.read(partition.offset, 1)[0]!, verdict.message),
    version: text(description?.version),
    project: text(description?.project),
    built: text(description && `${description.date} ${description.time}`.trim()),
    idfVersion: text(description?.idfVersion),
    secureVersion: description?.secureVersion ?? null,
    nvs: text(verdict.ok ? nvsKindIn(flash.read(partition.offset, OWN_DESCRIPTION_END)) : undefined),
    size: verdict.ok ? verdict.imageLength : null,
    sha256: verdict.ok ? Buffer.from(verdict.sha256).toString("hex") : null,
  };
}

const problemOf = (firstByte: number, message: string): string => (firstByte === 0xff ? "erased" : message);
