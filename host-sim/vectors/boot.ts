// Golden vectors of the boot loader: its choice, the partition that starts, its writes to otadata, also when power fails at one.

import { runBootLoader } from "../hardware/boot/boot-loader.js";
import { Flash, PowerCut, SECTOR_BYTES } from "../hardware/flash/flash.js";
import {
  compilePartitionCsv,
  type Partition,
  parsePartitionTable,
} from "../hardware/partitions/partition-table.js";
import { type CaseChecker, compare, hexOf } from "./comparison.js";
import type { VectorFolder } from "./folder.js";

export interface BootCase {
  readonly kind: string;
  readonly factory: 0 | 1;
  readonly slots: number;
  readonly valid: number;
  readonly in: readonly [string, string];
  readonly selected: number;
  readonly result: "boot" | "no-bootable" | "powercut";
  readonly boot: string | null;
  readonly ops: readonly string[];
  readonly out: readonly [string, string];
  readonly cut?: number;
}

const OTADATA_OFFSET = 0xe000;
const FLASH_BYTES = 0x10000;
const NOT_REACHED = -99;

/** @param rollback how the boot loader is configured, which only the file's name says. */
export function bootChecker(rollback: boolean): CaseChecker<BootCase, VectorFolder> {
  const flash = new Flash(FLASH_BYTES);
  const tables = new Map<string, Partition[]>();
  const tableOf = ({ factory, slots }: BootCase): Partition[] => {
    const key = `${factory} ${slots}`;
    const table = tables.get(key) ?? makeTable(factory === 1, slots);
    tables.set(key, table);
    return table;
  };
  return {
    describe: ({ kind, slots, factory }) => `${kind}, ${slots} slots${factory === 1 ? " and factory" : ""}`,
    difference: (test) => {
      const { selected, result, boot, ops, out } = test;
      return compare(bootOnce(flash, tableOf(test), test, rollback), { selected, result, boot, ops, out });
    },
  };
}

function bootOnce(flash: Flash, table: Partition[], test: BootCase, rollback: boolean): object {
  flash.bytes.fill(0xff);
  for (const index of [0, 1] as const) {
    flash.bytes.set(Buffer.from(test.in[index], "hex"), OTADATA_OFFSET + index * SECTOR_BYTES);
  }
  flash.powerRestored();
  const ops: string[] = [];
  flash.onOperation = ({ kind, offset, length }, when) => {
    if (when === "after") return;
    ops.push(`${kind}@0x${offset.toString(16)}+${length}`);
    if (ops.length - 1 === test.cut) throw new PowerCut();
  };
  const outcome = runOnce(flash, table, test, rollback);
  const out = [0, 1].map((index) => hexOf(flash.read(OTADATA_OFFSET + index * SECTOR_BYTES, 32)));
  return { ...outcome, ops, out };
}

function runOnce(flash: Flash, table: Partition[], test: BootCase, rollback: boolean): object {
  const checkImage = ({ label }: Partition) => {
    const bit = label === "factory" ? 0 : 1 + Number(label.slice("ota_".length));
    return (test.valid & (1 << bit)) !== 0;
  };
  let selected = NOT_REACHED;
  const onSelected = (index: number) => {
    selected = index;
  };
  try {
    const { booted } = runBootLoader(flash, table, { rollback, chip: "esp32", checkImage, onSelected });
    return { selected, result: booted === undefined ? "no-bootable" : "boot", boot: booted?.label ?? null };
  } catch (error) {
    if (error instanceof PowerCut) return { selected, result: "powercut", boot: null };
    throw error;
  }
}

function makeTable(hasFactory: boolean, slots: number): Partition[] {
  const apps = Array.from({ length: slots }, (_, slot) => `ota_${slot},app,ota_${slot},,64K`);
  if (hasFactory) apps.unshift("factory,app,factory,0x10000,64K");
  return parsePartitionTable(compilePartitionCsv(["otadata,data,ota,0xe000,0x2000", ...apps].join("\n")));
}
