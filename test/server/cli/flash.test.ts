// The commands that work on flash files and partition tables, as a user calls them.

import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { encodeOtadataEntry, makeOtadataEntry, OTA_STATE } from "../../../host-sim/hardware/boot/otadata.js";
import { Flash } from "../../../host-sim/hardware/flash/flash.js";
import { Nvs } from "../../../host-sim/hardware/nvs/nvs.js";
import { deriveNvsKeys } from "../../../host-sim/hardware/nvs/nvs-keys.js";
import { parsePartitionTable } from "../../../host-sim/hardware/partitions/partition-table.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";

const SKYSLOT = fileURLToPath(new URL("../../../bin/skyslot.js", import.meta.url));
const PARTITIONS = fileURLToPath(new URL("../../../partitions/", import.meta.url));
const OTADATA = 0xe000;

describe("the flash of a device as a file", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "skyslot-flash-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const file = (name: string): string => join(folder, name);
  /** Runs a command in this process: its output, or the error that it ends with. */
  const skyslot = async (...args: string[]): Promise<string> => {
    let out = "";
    const restore = redirectOutput((text) => {
      out += text;
    });
    try {
      await createProgram().parseAsync(args, { from: "user" });
      return out;
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    } finally {
      restore();
    }
  };
  const json = async (...args: string[]) => JSON.parse(await skyslot(...args, "--json"));

  it("is written in factory state, and inspected", async () => {
    expect(await json("sim", "image", "-o", file("fresh.bin"))).to.deep.equal({
      file: file("fresh.bin"),
      bytes: 8 * 1024 * 1024,
    });
    const report = await json("sim", "inspect", file("fresh.bin"));
    expect(report).to.include({ bytes: 8 * 1024 * 1024, chip: "esp32" });
    expect(report.partitions.map(({ label }: { label: string }) => label)).to.deep.equal([
      "nvs",
      "otadata",
      "phy_init",
      "factory",
      "ota_0",
      "ota_1",
    ]);
    expect(report.boot).to.include({ slot: "factory" });
    expect(report.apps[0]).to.include({
      partition: "factory",
      problem: null,
      project: "base",
      version: "1.0.0",
      nvs: "plain",
    });
    expect(report.apps[1]).to.include({ partition: "ota_0", problem: "erased" });
    expect(report.nvs[0]).to.deep.include({ partition: "nvs", entries: [] });
  });

  it("keeps what a device stored while it ran, shows its password covered, and can be resumed", async () => {
    await skyslot("sim", "export", "-o", file("run.bin"), "--flash", file("fresh.bin"), "--seconds", "90");
    const text = await skyslot("sim", "inspect", file("run.bin"));
    expect(text)
      .to.match(/^factory would boot: neither otadata entry/m)
      .and.to.match(/^skyslot +networks +str +\[\["Home \+ Garden","••••••"\]\]$/m)
      .and.not.to.contain("corr&ct");
    expect(await skyslot("sim", "inspect", file("run.bin"), "--show-secrets")).to.contain("corr&ct=horse%8#");
    await skyslot(
      "sim",
      "export",
      "-o",
      file("later.bin"),
      "--flash",
      file("run.bin"),
      "--seconds",
      "20",
      "--manual",
    );
    const later = await json("sim", "inspect", file("later.bin"));
    const boots = later.nvs[0].entries.find(({ key }: { key: string }) => key === "boots");
    expect(boots.value).to.equal("2");
  });

  it("of a chip that encrypts its settings comes with the eFuses that they are read with", async () => {
    await skyslot("sim", "image", "-o", file("s3.bin"), "--chip", "esp32s3");
    const run = ["sim", "export", "-o", file("s3-run.bin"), "--flash", file("s3.bin"), "--seconds", "90"];
    expect(await json(...run)).to.include({ efuses: file("s3-run.bin.efuse") });
    expect(await skyslot("sim", "inspect", file("s3-run.bin")))
      .to.match(/^nvs: NVS, encrypted, \d+ of \d+ entries used$/m)
      .and.to.match(/^skyslot +networks +str +\[\["Home \+ Garden","••••••"\]\]$/m);
    const on = ["--flash", file("s3-run.bin"), "--seconds", "20", "--manual"];
    await skyslot("sim", "export", "-o", file("s3-later.bin"), ...on);
    const later = await json("sim", "inspect", file("s3-later.bin"));
    const boots = later.nvs[0].entries.find(({ key }: { key: string }) => key === "boots");
    expect(boots.value, "it read its settings").to.equal("2");
    writeFileSync(file("s3-run.bin.efuse"), "of something else");
    expect(await skyslot("sim", "inspect", file("s3-run.bin"))).to.match(/^UsageError: .* has 17 bytes/);
    rmSync(file("s3-run.bin.efuse"));
    expect(await skyslot("sim", "inspect", file("s3-run.bin"))).to.match(
      /encrypted, so its entries cannot be/,
    );
  });

  it("reports encrypted settings as such, and shows them with their key", async () => {
    const hmacKey = new Uint8Array(32).fill(7);
    writeFileSync(file("efuse.bin"), hmacKey);
    const bytes = new Flash(8 * 1024 * 1024, readFileSync(file("fresh.bin")));
    const nvs = parsePartitionTable(bytes.read(0x8000, 0xc00)).find(({ label }) => label === "nvs")!;
    Nvs.mount(bytes, nvs.offset, nvs.size, deriveNvsKeys(hmacKey)).nvs!.set(
      "skyslot",
      "led",
      "str",
      "rainbow",
    );
    writeFileSync(file("encrypted.bin"), bytes.bytes);
    expect(await skyslot("sim", "inspect", file("encrypted.bin"))).to.match(
      /^nvs: NVS, encrypted, so its entries cannot be read .* --nvs-keys or --efuse/m,
    );
    expect(await skyslot("sim", "inspect", file("encrypted.bin"), "--efuse", file("efuse.bin")))
      .to.match(/^nvs: NVS, encrypted, 3 of \d+ entries used$/m)
      .and.to.match(/^skyslot +led +str +rainbow$/m);
    expect(await skyslot("sim", "inspect", file("encrypted.bin"), "--nvs-keys", file("efuse.bin"))).to.match(
      /^Error: the file is no image of the partition nvs_keys/,
    );
  });

  it("is booted by the boot loader alone, which writes otadata only on request", async () => {
    const bytes = new Uint8Array(readFileSync(file("fresh.bin")));
    bytes.copyWithin(0x220000, 0x20000, 0x220000);
    bytes.set(encodeOtadataEntry(makeOtadataEntry(1, OTA_STATE.NEW)), OTADATA);
    writeFileSync(file("trial.bin"), bytes);
    for (const _ of ["first", "again"]) {
      const report = await json("flash", "boot", file("trial.bin"));
      expect(report).to.include({ slot: "ota_0", written: false });
      expect(report.otadata[0]).to.include({
        sequence: 1,
        slot: "ota_0",
        state: "PENDING_VERIFY",
        crc: "right",
      });
    }
    expect(await json("flash", "boot", file("trial.bin"), "--write")).to.include({
      slot: "ota_0",
      written: true,
    });
    const afterwards = await json("flash", "boot", file("trial.bin"));
    expect(afterwards.slot).to.equal("factory");
    expect(afterwards.reason).to.match(
      /^entry 0 was PENDING_VERIFY \(ota_0 was not confirmed\) and is ABORTED now; /,
    );
    expect(await skyslot("flash", "boot", file("trial.bin")))
      .to.match(/^factory boots: /)
      .and.to.match(/^0 +1 +ota_0 +ABORTED +right$/m)
      .and.to.contain("nothing was written: use --write");
  });

  it("is refused with one sentence when it is not a flash file", async () => {
    writeFileSync(file("text.bin"), "no flash");
    expect(await skyslot("flash", "boot", file("text.bin"))).to.equal(
      "Error: the file has 8 bytes; a whole flash has a multiple of 4096, from 36864 to 134217728",
    );
    expect(await skyslot("sim", "export", "-o", file("x.bin"), "--flash", file("none.bin"))).to.contain(
      "ENOENT",
    );
    expect(
      await skyslot("sim", "export", "-o", file("x.bin"), "--flash", file("fresh.bin"), "--app", "base"),
    ).to.match(/^UsageError: .*fresh\.bin already contains firmware/);
    expect(await skyslot("sim", "image", "-o", file("x.bin"), "--flash-size", "3KB")).to.match(
      /is not a flash size/,
    );
    expect(await skyslot("sim", "image", "-o", file("x.bin"), "--flash-size", "4MB")).to.equal(
      "PartitionTableError: the partitions need 6422528 bytes, the flash has 4194304",
    );
  });

  it("lists the partitions of a CSV, of a binary table and of a flash in the same way", async () => {
    const csv = `${PARTITIONS}8mb.csv`;
    const compiled = await json("partitions", "compile", csv, "-o", file("table.bin"), "--flash-size", "8MB");
    expect(compiled).to.include({ bytes: 3072 });
    expect(compiled.partitions).to.have.length(6);
    for (const source of [csv, file("table.bin"), file("fresh.bin")]) {
      expect((await json("partitions", "inspect", source)).partitions, source).to.deep.equal(
        compiled.partitions,
      );
    }
    expect(await skyslot("partitions", "inspect", csv)).to.match(
      /^factory +app +factory +0x20000 +0x200000 +2097152$/m,
    );
  });

  it("names the line of a CSV that is wrong, and the numbers", async () => {
    const compile = async (csv: string, ...more: string[]) => {
      writeFileSync(file("bad.csv"), csv);
      return skyslot("partitions", "compile", file("bad.csv"), "-o", file("bad.bin"), ...more);
    };
    const cases = [
      ["a,app,ota_0,0x9100,64K", 'partition "a": offset 0x9100 is not aligned to 0x10000'],
      [
        "a,data,nvs,0x9000,0x6000\nb,data,phy,0xa000,4K",
        'line 2: "b" at 0xa000 overlaps what ends at 0xf000',
      ],
      ["a,data,nvs,0x9000,0x6000\na,data,phy,0xf000,4K", 'partition names must be unique, "a" occurs twice'],
      ["a,app,ota_0,0x10000,8M", "the partitions need 8454144 bytes, the flash has 8388608"],
      ["a,app,ota_99,0x10000,64K", 'line 1: "ota_99" is not valid; known are factory, test, ota_0'],
      ["a,data,nvs,0x9000", "line 1: the size is empty"],
    ] as const;
    for (const [csv, sentence] of cases)
      expect(await compile(csv, "--flash-size", "8MB")).to.contain(sentence);
  });

  it("works the same with the installed program", async () => {
    const run = (...args: string[]) =>
      new Promise<{ status: number; out: string; err: string }>((resolve) => {
        execFile(process.execPath, [SKYSLOT, ...args], (error, out, err) =>
          resolve({ status: error ? Number(error.code) : 0, out, err }),
        );
      });
    const booted = await run("flash", "boot", file("fresh.bin"), "--json");
    expect([booted.status, JSON.parse(booted.out).slot]).to.deep.equal([0, "factory"]);
    const missing = await run("flash", "boot", file("none.bin"));
    expect([missing.status, missing.err]).to.deep.equal([
      1,
      `skyslot: file ${file("none.bin")} does not exist\n`,
    ]);
  });
});
