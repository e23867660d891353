// What the boot loader does with a flash, in sentences: which slot starts and why, and what is in otadata afterwards. The
// boot loader itself decides; here its doing is only put into words.

import { type BootResult, runBootLoader } from "../hardware/boot/boot-loader.js";
import {
  activeEntry,
  EMPTY_SEQUENCE,
  encodeOtadataEntry,
  isCrcRight,
  isInvalid,
  OTA_STATE,
  type Otadata,
  type OtadataEntry,
  readOtadata,
  slotOfSequence,
} from "../hardware/boot/otadata.js";
import { SECTOR_BYTES } from "../hardware/flash/flash.js";
import { type BootPartitions, bootPartitions } from "../hardware/partitions/partition-table.js";
import type { FlashFile } from "./open.js";

/** One of the two entries. */
export interface OtadataReport {
  /** Null when the entry is erased. */
  readonly sequence: number | null;
  /** What the sequence number stands for, whether the entry counts or not. */
  readonly slot: string | null;
  /** NEW, PENDING_VERIFY, VALID, INVALID, ABORTED, UNDEFINED, or the number in hexadecimal. */
  readonly state: string;
  readonly crc: "right" | "wrong";
  readonly hex: string;
}

export interface BootReport {
  /** Label of the partition that starts; null: none does, the chip resets over and over. */
  readonly slot: string | null;
  /** Both entries as the boot loader leaves them; none when the table has no otadata. */
  readonly otadata: readonly OtadataReport[];
  /** Sentences. */
  readonly reason: string;
  /** Whether the boot loader wrote to flash. */
  readonly wrote: boolean;
}

const SENTENCE_END = "; ";

/** Runs the boot loader; it writes to the file's flash what the real one would. */
export function bootFlash(file: FlashFile, options: { readonly rollback?: boolean } = {}): BootReport {
  const { flash, partitions, chip } = file;
  const table = bootPartitions(partitions);
  const before = otadataOf(file, table);
  const writes = flash.counters.writeCount;
  const result = runBootLoader(flash, partitions, { rollback: options.rollback ?? true, chip });
  const after = otadataOf(file, table);
  return {
    slot: result.booted?.label ?? null,
    otadata: (after ?? []).map((entry) => describeEntry(entry, table)),
    reason: explain(result, table, before, after),
    wrote: flash.counters.writeCount > writes,
  };
}

/** The two entries as they are. */
export function listOtadata(file: FlashFile): OtadataReport[] {
  const table = bootPartitions(file.partitions);
  return (otadataOf(file, table) ?? []).map((entry) => describeEntry(entry, table));
}

function otadataOf({ flash }: FlashFile, { otadata }: BootPartitions): Otadata | undefined {
  return otadata === undefined || otadata.size < 2 * SECTOR_BYTES ? undefined : readOtadata(flash, otadata);
}

function describeEntry(entry: OtadataEntry, { appCount }: BootPartitions): OtadataReport {
  const isEmpty = entry.sequence === EMPTY_SEQUENCE;
  return {
    sequence: isEmpty ? null : entry.sequence,
    slot: isEmpty || appCount === 0 ? null : slotName(entry, appCount),
    state: stateName(entry.state),
    crc: isCrcRight(entry) ? "right" : "wrong",
    hex: Buffer.from(encodeOtadataEntry(entry)).toString("hex"),
  };
}

const slotName = (entry: OtadataEntry, appCount: number): string =>
  `ota_${slotOfSequence(entry.sequence, appCount)}`;

function stateName(state: number): string {
  const found = Object.entries(OTA_STATE).find(([, number]) => number === state);
  return found?.[0] ?? `0x${state.toString(16)}`;
}

function explain(
  result: BootResult,
  table: BootPartitions,
  before: Otadata | undefined,
  after: Otadata | undefined,
): string {
  const sentences = [
    ...explainTrials(before, after, table),
    explainSelection(table, asSelected(before, after)),
    ...explainTrialStart(before, after),
    ...result.refused.map(({ partition, message }) => `${partition.label} does not boot (${message})`),
  ];
  if (result.booted === undefined) sentences.push("no image boots: the chip resets over and over");
  else if (result.refused.length > 0)
    sentences.push(`${result.booted.label} is the next whose image is sound`);
  if (before?.every(isUnusable) && after?.some((entry) => !isUnusable(entry))) {
    sentences.push("the slot that boots is recorded in entry 0, as VALID");
  }
  return sentences.join(SENTENCE_END);
}

/** The entries as the choice found them: trials aborted, nothing else written yet. */
function asSelected(before: Otadata | undefined, after: Otadata | undefined): Otadata | undefined {
  if (before === undefined || after === undefined) return undefined;
  const choose = (index: 0 | 1) => (after[index].state === OTA_STATE.ABORTED ? after[index] : before[index]);
  return [choose(0), choose(1)];
}

const isUnusable = (entry: OtadataEntry): boolean => isInvalid(entry) || !isCrcRight(entry);

/** Trials that were not confirmed. */
function explainTrials(
  before: Otadata | undefined,
  after: Otadata | undefined,
  { appCount }: BootPartitions,
): string[] {
  if (before === undefined || after === undefined) return [];
  return before.flatMap((entry, index) =>
    entry.state === OTA_STATE.PENDING_VERIFY && after[index]!.state === OTA_STATE.ABORTED
      ? [
          `entry ${index} was PENDING_VERIFY (${slotName(entry, appCount)} was not confirmed) and is ABORTED now`,
        ]
      : [],
  );
}

function explainTrialStart(before: Otadata | undefined, after: Otadata | undefined): string[] {
  if (before === undefined || after === undefined) return [];
  return before.flatMap((entry, index) =>
    entry.state === OTA_STATE.NEW && after[index]!.state === OTA_STATE.PENDING_VERIFY
      ? [`entry ${index} was NEW and is PENDING_VERIFY now: this is its trial`]
      : [],
  );
}

function explainSelection(table: BootPartitions, otadata: Otadata | undefined): string {
  const fallback =
    table.factory === undefined ? "there is no factory, so ota_0 is first" : "factory is first";
  if (table.otadata === undefined) return `the table has no otadata partition: ${fallback}`;
  if (otadata === undefined) return `otadata has ${table.otadata.size} bytes, it needs ${2 * SECTOR_BYTES}`;
  if (table.appCount === 0) return `the table has no ota slots: ${fallback}`;
  const active = activeEntry(otadata);
  if (active === undefined || otadata.every(isInvalid)) {
    return `neither otadata entry can be used (${otadata.map(whyUnusable).join(", ")}): ${fallback}`;
  }
  const { sequence } = otadata[active];
  const other = otadata[active === 0 ? 1 : 0];
  const why = isUnusable(other) ? "is the only valid one" : "has the highest sequence number";
  return `otadata entry ${active} (sequence ${sequence}, ${stateName(otadata[active].state)}) ${why}: ${slotName(otadata[active], table.appCount)}`;
}

function whyUnusable(entry: OtadataEntry, index: number): string {
  if (entry.sequence === EMPTY_SEQUENCE) return `entry ${index} is erased`;
  if (isInvalid(entry)) return `entry ${index} is ${stateName(entry.state)}`;
  return `entry ${index} has a wrong CRC`;
}
