// The second-stage boot loader: chooses an app from otadata, records the state of a trial there, and falls back over the
// slots when an image is bad. It follows ESP-IDF v6.0 without factory-reset pin and flash encryption; it runs nothing, and writes
// only what the real one writes.

import { burnVersionOf, type Efuse, mayRun, secureVersionIn } from "../efuse.js";
import { type Flash, SECTOR_BYTES } from "../flash/flash.js";
import { type Chip, type ImageVerdict, verifyPartitionImage } from "../image/app-image.js";
import { type BootPartitions, bootPartitions, type Partition } from "../partitions/partition-table.js";
import {
  activeEntry,
  EMPTY_SEQUENCE,
  type EntryIndex,
  isCrcRight,
  isInvalid,
  isValid,
  makeOtadataEntry,
  OTA_STATE,
  type Otadata,
  type OtadataEntry,
  readOtadata,
  selectEntry,
  slotOfSequence,
  writeOtadataEntry,
} from "./otadata.js";

/** Index of the factory app, below all slots. */
const FACTORY_INDEX = -1;

export interface BootLoaderOptions {
  /** CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE. */
  readonly rollback: boolean;
  readonly chip: Chip;
  /** CONFIG_BOOTLOADER_APP_ANTI_ROLLBACK, which needs rollback: no app starts whose secure version is below that of the eFuses. */
  readonly antiRollback?: Efuse | undefined;
  /** Stands in for the check of an image, for tests of the choice alone. */
  readonly checkImage?: (partition: Partition) => boolean;
  /** Called with what otadata selects, before any image is tried. */
  readonly onSelected?: (index: number) => void;
}

export interface BootResult {
  /** The partition that starts; undefined: nothing boots, and the chip resets over and over. */
  readonly booted: Partition | undefined;
  /** What otadata says before any image is tried: FACTORY_INDEX or a slot; undefined when otadata cannot be used. */
  readonly selected: number | undefined;
  /** Partitions whose image was refused, in the order of trying, with the reason. */
  readonly refused: readonly { readonly partition: Partition; readonly message: string }[];
}

interface Selection {
  readonly index: number;
  /** Without a factory app and with no usable otadata, the slot that boots is recorded. */
  readonly recordsSlot: boolean;
}

/** Runs the boot loader once. It may throw PowerCut out of the flash; an otadata entry that cannot be written does not stop it. */
export function runBootLoader(
  flash: Flash,
  partitions: readonly Partition[],
  options: BootLoaderOptions,
): BootResult {
  const table = bootPartitions(partitions);
  const refused: { partition: Partition; message: string }[] = [];
  const selection = select(flash, table, options);
  if (selection === undefined) return { booted: undefined, selected: undefined, refused };
  options.onSelected?.(selection.index);
  for (const index of trialOrder(selection.index, table.appCount)) {
    const partition = partitionAt(table, index);
    if (partition === undefined || partition.size === 0) continue;
    const problem = imageProblem(flash, partition, options);
    if (problem === undefined) {
      if (selection.recordsSlot && index > FACTORY_INDEX) {
        recordSlot(flash, table.otadata!, index);
        burnIfAsked(flash, partition, options);
      }
      return { booted: partition, selected: selection.index, refused };
    }
    refused.push({ partition, message: problem });
  }
  if (table.test !== undefined && table.test.size > 0) {
    const problem = imageProblem(flash, table.test, options);
    if (problem === undefined) return { booted: table.test, selected: selection.index, refused };
    refused.push({ partition: table.test, message: problem });
  }
  return { booted: undefined, selected: selection.index, refused };
}

function select(flash: Flash, table: BootPartitions, options: BootLoaderOptions): Selection | undefined {
  const { rollback, antiRollback } = options;
  if (table.otadata === undefined) return { index: FACTORY_INDEX, recordsSlot: false };
  if (table.otadata.size < 2 * SECTOR_BYTES) return undefined;
  let otadata = readOtadata(flash, table.otadata);
  if (rollback) otadata = abortTrials(flash, table.otadata, otadata);
  const byDefault = defaultSelection(table, otadata, antiRollback !== undefined);
  if (byDefault !== undefined) return byDefault;
  const active =
    antiRollback === undefined ? activeEntry(otadata) : allowedEntry(flash, table, otadata, antiRollback);
  if (active === undefined) return { index: FACTORY_INDEX, recordsSlot: false };
  const entry = otadata[active];
  if (rollback && entry.state === OTA_STATE.NEW) {
    writeOtadataEntry(flash, table.otadata, active, { ...entry, state: OTA_STATE.PENDING_VERIFY });
  }
  const index = slotOfSequence(entry.sequence, table.appCount);
  if (entry.state === OTA_STATE.VALID) burnIfAsked(flash, table.ota[index]!, options);
  return { index, recordsSlot: false };
}

/** What is selected if otadata is empty. Anti-rollback has no factory app: there selection begins with the slots. */
function defaultSelection(
  { appCount, factory }: BootPartitions,
  otadata: Otadata,
  antiRollback: boolean,
): Selection | undefined {
  const isInitial = otadata.every(isBlank);
  if (antiRollback) return isInitial ? { index: FACTORY_INDEX, recordsSlot: true } : undefined;
  if (appCount > 0 && !otadata.every(isInvalid)) return undefined;
  return factory === undefined
    ? { index: 0, recordsSlot: isInitial }
    : { index: FACTORY_INDEX, recordsSlot: false };
}

/** The active entry among those whose slot holds an app that may run. */
function allowedEntry(
  flash: Flash,
  { ota, appCount }: BootPartitions,
  otadata: Otadata,
  efuse: Efuse,
): EntryIndex | undefined {
  const isAllowed = (entry: OtadataEntry): boolean =>
    isValid(entry) && appCount > 0 && mayRun(flash, ota[slotOfSequence(entry.sequence, appCount)]!, efuse);
  return selectEntry(otadata, [isAllowed(otadata[0]), isAllowed(otadata[1])], "highest");
}

function burnIfAsked(flash: Flash, partition: Partition, { antiRollback }: BootLoaderOptions): void {
  if (antiRollback !== undefined) burnVersionOf(flash, partition, antiRollback);
}

/** A trial that was not confirmed before this boot has failed, whatever else its entry says. */
function abortTrials(flash: Flash, partition: Partition, otadata: Otadata): Otadata {
  const abort = (index: 0 | 1): OtadataEntry => {
    const entry = otadata[index];
    if (entry.state !== OTA_STATE.PENDING_VERIFY) return entry;
    const aborted = { ...entry, state: OTA_STATE.ABORTED };
    writeOtadataEntry(flash, partition, index, aborted);
    return aborted;
  };
  return [abort(0), abort(1)];
}

function isBlank(entry: OtadataEntry): boolean {
  return entry.sequence === EMPTY_SEQUENCE || !isCrcRight(entry);
}

/** Down from the selected index to the factory app, then up over the slots behind it. */
function* trialOrder(selected: number, appCount: number): Iterable<number> {
  for (let index = selected; index >= FACTORY_INDEX; index -= 1) yield index;
  for (let index = selected + 1; index < appCount; index += 1) yield index;
}

function partitionAt(table: BootPartitions, index: number): Partition | undefined {
  if (index === FACTORY_INDEX) return table.factory;
  return index < table.appCount ? table.ota[index] : undefined;
}

function imageProblem(flash: Flash, partition: Partition, options: BootLoaderOptions): string | undefined {
  if (options.antiRollback !== undefined && !mayRun(flash, partition, options.antiRollback)) {
    const version = secureVersionIn(flash, partition) ?? "none";
    return `secure version is ${version}, the eFuses require ${options.antiRollback.secureVersion}`;
  }
  if (options.checkImage !== undefined) {
    return options.checkImage(partition) ? undefined : "refused by checkImage";
  }
  const verdict: ImageVerdict = verifyPartitionImage(flash, partition, {
    chip: options.chip,
    stage: "load",
    antiRollback: options.antiRollback,
  });
  return verdict.ok ? undefined : `${verdict.error}: ${verdict.message}`;
}

function recordSlot(flash: Flash, otadata: Partition, slot: number): void {
  writeOtadataEntry(flash, otadata, 0, makeOtadataEntry(slot + 1, OTA_STATE.VALID));
}
