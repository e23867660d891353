// The kind: skyslot-parts.c, which adds parts of a block in the flash, against its twin in the simulator: both are given the same blocks,
// also those that are outside their partition. The C is compiled for the host over stubs of ESP-IDF.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import {
  PARTITION_TYPE_DATA,
  type Partition,
} from "../../../host-sim/hardware/partitions/partition-table.js";
import type { Machine } from "../../../host-sim/machine/machine.js";
import { blockPartsFunctions } from "../../../host-sim/modules/block-parts.js";
import { randomStream } from "../../../host-sim/world/random.js";

const C = fileURLToPath(new URL("../../../firmware/platform/radio/skyslot-parts.c", import.meta.url));
const HERE = fileURLToPath(new URL("native/", import.meta.url));
/** As in parts-driver.c. */
const SLOT_BYTES = 40_960;
const SLOT_AT = 0x10_000;
const CACHE_AT = 0x20_000;

const partition = (label: string, type: number, offset: number): Partition =>
  ({ label, type, subtype: 0x40, offset, size: SLOT_BYTES, flags: 0 }) as unknown as Partition;
const SLOT = partition("ota_0", 0, SLOT_AT);
const CACHE = partition("cache", PARTITION_TYPE_DATA, CACHE_AT);

function twin(script: readonly string[]): string[] {
  const flash = {
    read(at: number, count: number) {
      const start = at >= CACHE_AT ? CACHE_AT : SLOT_AT;
      if (at - start + count > SLOT_BYTES) throw new Error(`read of ${count} bytes at ${at - start}`);
      return Uint8Array.from({ length: count }, (_, i) => {
        const offset = at - start + i;
        return offset * 7 + Math.floor(offset / 256) + (start === CACHE_AT ? 1 : 0);
      });
    },
  };
  return script.map((line) => {
    const [command, ...parameters] = line.split(" ");
    const sum = new Uint8Array(224).fill(0x11);
    const has = command === "parities" || parameters[1] === "1";
    const machine = { flash, partitions: has ? [CACHE] : [], compute: () => {} } as unknown as Machine;
    const native = blockPartsFunctions(
      machine,
      (value) => value as Uint8Array,
      () => (has ? SLOT : undefined),
    ) as Record<string, (...parameters: unknown[]) => number | undefined>;
    const parities = Uint8Array.from({ length: 31 * 224 }, (_, i) => Math.floor(i / 224) + 1);
    const result =
      command === "parts"
        ? native.skyslot_add_parts!(
            parameters[0],
            parameters[2],
            parameters[3],
            new Uint8Array(Buffer.from(parameters[4]!, "hex")),
            sum,
          )
        : native.skyslot_add_parities!(parities, Number(parameters[0]), sum);
    return `${result ?? 0} ${Buffer.from(sum).toString("hex")}`;
  });
}

describe("the virtual functions of skyslot-parts.c", () => {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-parts-"));
  const program = join(folder, "driver");
  before(function () {
    try {
      execFileSync("cc", ["--version"], { stdio: "ignore" });
    } catch {
      console.log("      skipped: there is no C compiler");
      return this.skip();
    }
    const options = [
      "-std=gnu11",
      "-Wall",
      "-Werror",
      "-fsanitize=address,undefined",
      "-I",
      join(HERE, "stubs"),
    ];
    execFileSync("cc", [...options, "-o", program, C, join(HERE, "parts-driver.c")]);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** What both do, which is the same. */
  function both(...script: string[]): string[] {
    const lines = execFileSync(program, { input: script.join("\n"), encoding: "utf8" })
      .trim()
      .split("\n");
    expect(twin(script)).deep.equal(lines);
    return lines;
  }
  const errorOf = (line: string | undefined) => Number(line?.split(" ")[0]);

  it("add the parts of any block, in the slot or the cache", () => {
    const random = randomStream("parts");
    const script = Array.from({ length: 200 }, () => {
      const length = 1 + Math.floor(random() * 16_384);
      const offset = Math.floor(random() * (SLOT_BYTES - length));
      const count = Math.ceil(length / 224);
      const set = new Uint8Array(10);
      for (let part = 0; part < count; part++) if (random() < 0.5) set[part >> 3]! |= 1 << (part & 7);
      return `parts ${random() < 0.5 ? 0 : 1} 1 ${offset} ${length} ${Buffer.from(set).toString("hex")}`;
    });
    const lines = both(...script);
    expect(lines.every((line) => errorOf(line) === 0)).equal(true);
    expect(new Set(lines).size).above(190);
  });

  it("read one part, and the short last one of a block", () => {
    const [first, last] = both(
      `parts 0 1 0 16384 01${"00".repeat(9)}`,
      `parts 0 1 0 16384 ${"00".repeat(9)}02`,
    );
    expect(first?.slice(0, 8)).equal("0 11161f");
    expect(last?.slice(2 + 64)).equal("11".repeat(224 - 32), "nothing is added behind its end");
  });

  it("refuse what is outside the block or the partition, and a partition that is not there", () => {
    const set = `01${"00".repeat(9)}`;
    const lines = both(
      `parts 0 1 0 16385 ${set}`,
      `parts 0 1 ${SLOT_BYTES - 100} 101 ${set}`,
      `parts 0 1 4294967200 224 ${set}`,
      `parts 0 1 0 224 03${"00".repeat(9)}`,
      `parts 0 1 0 16384 ${"00".repeat(9)}04`,
      `parts 0 0 0 224 ${set}`,
      `parts 1 0 0 224 ${set}`,
      `parts 1 1 ${SLOT_BYTES - 224} 224 ${set}`,
    );
    expect(lines.map(errorOf)).deep.equal([0x102, 0x102, 0x102, 0x102, 0x102, 0x105, 0x105, 0]);
  });

  it("add the parities of a combination", () => {
    const lines = both(
      "parities 0",
      "parities 1",
      "parities 1073741824",
      "parities 2147483647",
      "parities 5",
    );
    expect(lines[0]?.slice(2, 4)).equal("11");
    expect(lines[4]?.slice(2, 4)).equal((0x11 ^ 1 ^ 3).toString(16));
  });
});
