// The boot loader's choice and its writes to otadata, against ESP-IDF's own.

import { expect } from "chai";
import { runBootLoader } from "../../../host-sim/hardware/boot-loader.js";
import { Flash, PowerCut, SECTOR_BYTES } from "../../../host-sim/hardware/flash.js";
import {
  compilePartitionCsv,
  type Partition,
  parsePartitionTable,
} from "../../../host-sim/hardware/partition-table.js";
import { Disagreements, hexOf, readVectors } from "../../vectors.js";

interface BootCase {
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

describe("boot loader", () => {
  for (const [name, rollback, title] of [
    ["boot-rollback", true, "with rollback"],
    ["boot-plain", false, "without rollback"],
    ["boot-powercut", true, "when power fails at one of its flash operations"],
  ] as const) {
    it(`chooses, starts and writes what ESP-IDF's does ${title}`, function () {
      const cases = readVectors<BootCase>(name);
      if (cases.length === 0) this.skip();
      const disagreements = new Disagreements();
      const flash = new Flash(FLASH_BYTES);
      for (const test of cases) {
        const found = boot(flash, test, rollback);
        const { selected, result, boot: booted, ops, out } = test;
        const expected = JSON.stringify({ selected, result, boot: booted, ops, out });
        if (found !== expected) disagreements.add(test.kind, `found ${found}, expected ${expected}`);
      }
      expect(disagreements.report()).to.equal("");
      expect(cases).to.have.length.above(100);
      expect(cases.some((test) => test.ops.length > 0)).to.equal(true);
    });
  }
});

function boot(flash: Flash, test: BootCase, rollback: boolean): string {
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
  const { selected, result, booted } = run(flash, test, rollback);
  const out = [0, 1].map((index) => hexOf(flash.read(OTADATA_OFFSET + index * SECTOR_BYTES, 32)));
  return JSON.stringify({ selected, result, boot: booted, ops, out });
}

function run(flash: Flash, test: BootCase, rollback: boolean) {
  const checkImage = ({ label }: Partition) => {
    const bit = label === "factory" ? 0 : 1 + Number(label.slice("ota_".length));
    return (test.valid & (1 << bit)) !== 0;
  };
  let selected = -99;
  const onSelected = (index: number) => {
    selected = index;
  };
  try {
    const { booted } = runBootLoader(flash, tableOf(test), {
      rollback,
      chip: "esp32",
      checkImage,
      onSelected,
    });
    return { selected, result: booted === undefined ? "no-bootable" : "boot", booted: booted?.label ?? null };
  } catch (error) {
    if (error instanceof PowerCut) return { selected, result: "powercut", booted: null };
    throw error;
  }
}

const tables = new Map<string, Partition[]>();

function tableOf({ factory, slots }: BootCase): Partition[] {
  const key = `${factory} ${slots}`;
  const known = tables.get(key);
  if (known !== undefined) return known;
  const apps = Array.from({ length: slots }, (_, slot) => `ota_${slot},app,ota_${slot},,64K`);
  if (factory === 1) apps.unshift("factory,app,factory,0x10000,64K");
  const table = parsePartitionTable(
    compilePartitionCsv(["otadata,data,ota,0xe000,0x2000", ...apps].join("\n")),
  );
  tables.set(key, table);
  return table;
}
