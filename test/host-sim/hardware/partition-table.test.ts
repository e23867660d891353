// The partition table against gen_esp32part.py and the boot loader's own check, and the tables that this project ships.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import {
  bootPartitions,
  compilePartitionCsv,
  findPartition,
  otaSlots,
  type Partition,
  type PartitionCsvOptions,
  PartitionTableError,
  parsePartitionTable,
} from "../../../host-sim/hardware/partition-table.js";
import { Disagreements, hexOf, readVectors } from "../../vectors.js";

const MEGABYTE = 0x100000;

interface CsvCase {
  readonly kind: string;
  readonly csv: string;
  readonly flash_size: string | null;
  readonly args: readonly string[];
  readonly exit: number;
  readonly binary_base64: string | null;
}

interface TableCase {
  readonly kind: string;
  readonly flash_bytes: number;
  readonly table_base64: string;
  readonly verify: string;
  readonly count: number;
  readonly loaded: boolean;
  readonly state?: {
    readonly otadata: [number, number];
    readonly factory: [number, number];
    readonly test: [number, number];
    readonly app_count: number;
    readonly ota: Readonly<Record<string, [number, number]>>;
  };
}

describe("partition table", () => {
  it("compiles or refuses each CSV like gen_esp32part.py", function () {
    const cases = readVectors<CsvCase>("partition-csv");
    if (cases.length === 0) this.skip();
    const disagreements = new Disagreements();
    for (const test of cases) {
      const expected =
        test.binary_base64 === null ? "refused" : hexOf(Buffer.from(test.binary_base64, "base64"));
      const found = compileOrRefuse(test);
      if (found !== expected) disagreements.add(test.kind, `${found.slice(0, 200)}\n${test.csv}`);
    }
    expect(disagreements.report()).to.equal("");
    expect(cases.filter((test) => test.exit === 0)).to.have.length.above(5);
    expect(cases.filter((test) => test.exit !== 0)).to.have.length.above(5);
  });

  it("verifies and loads each binary like the boot loader", function () {
    const cases = readVectors<TableCase>("partition-tables");
    if (cases.length === 0) this.skip();
    const disagreements = new Disagreements();
    for (const test of cases) {
      const found = JSON.stringify(loadTable(test));
      const { verify, count, state } = test;
      const expected = JSON.stringify({ verify, count, ...(state === undefined ? {} : { state }) });
      if (found !== expected) disagreements.add(test.kind, `found ${found}, expected ${expected}`);
    }
    expect(disagreements.report()).to.equal("");
    expect(cases.filter((test) => test.loaded)).to.have.length.above(5);
    expect(cases.filter((test) => !test.loaded)).to.have.length.above(5);
  });

  it("names the line and the numbers when it refuses a CSV", () => {
    const csv = "nvs,data,nvs,0x9000,0x6000\notadata,data,ota,0xe000,0x2000\n";
    expect(() => compilePartitionCsv(csv))
      .to.throw(PartitionTableError, 'line 2: "otadata" at 0xe000 overlaps what ends at 0xf000')
      .with.property("code", "INVALID_CSV");
  });

  it("refuses a table whose MD5 does not hold", () => {
    const table = compilePartitionCsv("ota_0,app,ota_0,0x10000,0x10000\n");
    table[8] = 0xff;
    expect(() => parsePartitionTable(table)).to.throw(
      PartitionTableError,
      "MD5 of the 1 partition rows is wrong",
    );
  });

  for (const [file, flashBytes] of [
    ["4mb", 4 * MEGABYTE],
    ["8mb", 8 * MEGABYTE],
    ["16mb", 16 * MEGABYTE],
  ] as const) {
    it(`ships ${file}.csv with equal slots, NVS, otadata and phy_init inside ${file}`, () => {
      const partitions = parsePartitionTable(compilePartitionCsv(readCsv(file), { flashBytes }), {
        flashBytes,
      });
      const slots = otaSlots(partitions);
      expect(slots).to.have.length(2);
      expect(slots[0]!.size).to.equal(slots[1]!.size);
      for (const label of ["nvs", "otadata", "phy_init"]) {
        expect(findPartition(partitions, { label }), label).to.not.equal(undefined);
      }
    });
  }

  it("ships 8mb.csv as system D's table", () => {
    const partitions = parsePartitionTable(compilePartitionCsv(readCsv("8mb")));
    const rows = partitions.map(({ label, offset, size }) => [label, offset, size]);
    expect(rows).to.deep.equal([
      ["nvs", 0x9000, 0x5000],
      ["otadata", 0xe000, 0x2000],
      ["phy_init", 0x10000, 0x1000],
      ["factory", 0x20000, 2 * MEGABYTE],
      ["ota_0", 0x220000, 2 * MEGABYTE],
      ["ota_1", 0x420000, 2 * MEGABYTE],
    ]);
  });
});

function compileOrRefuse(test: CsvCase): string {
  try {
    return hexOf(compilePartitionCsv(test.csv, optionsOf(test)));
  } catch (error) {
    if (error instanceof PartitionTableError) return "refused";
    throw error;
  }
}

function optionsOf({ args, flash_size: flashSize }: CsvCase): PartitionCsvOptions {
  const argument = (name: string) => {
    const index = args.indexOf(name);
    return index === -1 ? undefined : Number(args[index + 1]);
  };
  const tableOffset = argument("--offset");
  const primaryBootloaderOffset = argument("--primary-bootloader-offset");
  return {
    md5: !args.includes("--disable-md5sum"),
    ...(flashSize === null ? {} : { flashBytes: Number.parseInt(flashSize, 10) * MEGABYTE }),
    ...(tableOffset === undefined ? {} : { tableOffset }),
    ...(primaryBootloaderOffset === undefined ? {} : { primaryBootloaderOffset }),
  };
}

function loadTable(test: TableCase): object {
  const bytes = new Uint8Array(Buffer.from(test.table_base64, "base64"));
  try {
    const partitions = parsePartitionTable(bytes, { flashBytes: test.flash_bytes });
    const table = bootPartitions(partitions);
    const place = (partition: Partition | undefined) =>
      partition === undefined ? [0, 0] : [partition.offset, partition.size];
    const ota = Object.fromEntries(
      table.ota.flatMap((partition, slot) =>
        partition === undefined ? [] : [[`ota_${slot}`, place(partition)]],
      ),
    );
    const state = {
      otadata: place(table.otadata),
      factory: place(table.factory),
      test: place(table.test),
      app_count: table.appCount,
      ota,
    };
    return { verify: "ESP_OK", count: partitions.length, state };
  } catch (error) {
    if (error instanceof PartitionTableError) return { verify: error.code, count: 0 };
    throw error;
  }
}

function readCsv(name: string): string {
  return readFileSync(new URL(`../../../partitions/${name}.csv`, import.meta.url), "utf8");
}
