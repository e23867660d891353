// The partition table against gen_esp32part.py and the boot loader's own check, and the tables that this project ships.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import {
  compilePartitionCsv,
  findPartition,
  otaSlots,
  PartitionTableError,
  parsePartitionTable,
} from "../../../../host-sim/hardware/partitions/partition-table.js";
import type { CsvCase, TableCase } from "../../../../host-sim/vectors/partitions.js";
import { expectGolden, vectorFolder } from "../../../golden.js";

const MEGABYTE = 0x100000;

describe("partition table", () => {
  it("compiles or refuses each CSV like gen_esp32part.py", () => {
    expectGolden("partition-csv", { casesMin: 100 });
    const refusals = vectorFolder.cases<CsvCase>("partition-csv.jsonl").filter((test) => test.exit !== 0);
    expect(refusals).to.have.length.above(5);
  });

  it("verifies and loads each binary like the boot loader", () => {
    expectGolden("partition-tables", { casesMin: 200 });
    const cases = vectorFolder.cases<TableCase>("partition-tables.jsonl");
    expect(cases.filter((test) => test.loaded)).to.have.length.above(5);
    expect(cases.filter((test) => !test.loaded)).to.have.length.above(5);
  });

  it("names the line and the numbers when it refuses a CSV", () => {
    const csv = "nvs,data,nvs,0x9000,0x6000\notadata,data,ota,0xe000,0x2000\n";
    expect(() => compilePartitionCsv(csv))
      .to.throw(PartitionTableError, 'line 2: "otadata" at 0xe000 overlaps what ends at 0xf000')
      .with.property("code", "INVALID_CSV");
  });

  it("refuses a table whose MD5 does not match", () => {
    const table = compilePartitionCsv("ota_0,app,ota_0,0x10000,0x10000\n");
    table[8] = 0xff;
    expect(() => parsePartitionTable(table)).to.throw(
      PartitionTableError,
      "MD5 of the 1 partition rows is wrong",
    );
  });

  for (const [file, flashBytes] of [
    ["4mb", 4 * MEGABYTE],
    ["4mb-encrypted", 4 * MEGABYTE],
    ["8mb", 8 * MEGABYTE],
    ["8mb-encrypted", 8 * MEGABYTE],
    ["8mb-gateway", 8 * MEGABYTE],
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

  it("ships 8mb.csv with the partition table of earlier firmware", () => {
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

  for (const size of ["4mb", "8mb"])
    it(`ships ${size}-encrypted.csv with all of ${size}.csv, and encrypted keys of the settings`, () => {
      const [encrypted, plain] = [`${size}-encrypted`, size].map((name) =>
        parsePartitionTable(compilePartitionCsv(readCsv(name))),
      );
      const keys = findPartition(encrypted!, { label: "nvs_keys" })!;
      expect(encrypted!.filter((one) => one !== keys)).to.deep.equal(plain);
      expect([keys.type, keys.subtype, keys.size, keys.flags]).to.deep.equal([1, 4, 4096, 1]);
    });

  it("ships 8mb-gateway.csv with all of 8mb.csv, and a cache up to the end of the flash", () => {
    const [gateway, plain] = ["8mb-gateway", "8mb"].map((name) =>
      parsePartitionTable(compilePartitionCsv(readCsv(name))),
    );
    const cache = findPartition(gateway!, { label: "cache" })!;
    expect(gateway!.filter((one) => one !== cache)).to.deep.equal(plain);
    expect([cache.type, cache.subtype, cache.offset + cache.size]).to.deep.equal([1, 0x40, 8 * MEGABYTE]);
  });
});

function readCsv(name: string): string {
  return readFileSync(new URL(`../../../../partitions/${name}.csv`, import.meta.url), "utf8");
}
