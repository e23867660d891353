// App images against esptool 5: it accepts ours, and we accept what its elf2image writes, on every chip.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { VirtualDevice } from "../../host-sim/device/device.js";
import { CHIPS } from "../../host-sim/hardware/chips.js";
import { encodeAppDescription } from "../../host-sim/hardware/image/app-description.js";
import { buildFirmwareImage, type Chip, verifyImageFile } from "../../host-sim/hardware/image/app-image.js";
import { compilePartitionCsv } from "../../host-sim/hardware/partitions/partition-table.js";
import { World } from "../../host-sim/world/world.js";
import { inspectImage } from "../../release/describe.js";
import { PARTITIONS_8MB } from "../host-sim/run-source.js";
import { encodeElf, MACHINE_RISCV, MACHINE_XTENSA } from "./elf.js";
import { findTool, runTool, type Tool } from "./tools.js";

const CHIP_NAMES = Object.keys(CHIPS) as Chip[];
const XTENSA: readonly Chip[] = ["esp32", "esp32s2", "esp32s3"];

describe("app images and esptool", () => {
  let tool: Tool;
  let folder: string;
  before(function () {
    const found = findTool("esptool", "esptool");
    if (found === undefined) return this.skip();
    expect(found.version).to.match(/^5\./);
    tool = found;
    folder = mkdtempSync(join(tmpdir(), "skyslot-esptool-"));
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  for (const chip of CHIP_NAMES) {
    it(`image-info finds checksum and hash of our image for ${chip} valid, and reads the same in it`, () => {
      const file = join(folder, `ours-${chip}.bin`);
      const bundle = "trace(1);".repeat(9000);
      const image = buildFirmwareImage({
        chip,
        version: "1.2.3",
        build: 4,
        project: "base",
        bundle,
        secureVersion: 5,
      });
      writeFileSync(file, image);
      const info = runTool(tool, "--chip", chip, "image-info", file);
      expect(info)
        .to.match(/^Checksum: 0x[0-9a-f]{2} \(valid\)$/m)
        .and.to.match(/^Validation hash: [0-9a-f]{64} \(valid\)$/m)
        .and.to.match(/^Project name: base$/m)
        .and.to.match(/^App version: 1\.2\.3\+4$/m)
        .and.to.match(/^Secure version: 5$/m)
        .and.to.match(/^Flash size: 8MB$/m);
      expect(info).to.match(new RegExp(`^Chip ID: ${CHIPS[chip].chipId} `, "m"));
      expect(info).to.not.match(/warning|invalid/i);
      const damaged = image.slice();
      damaged[500]! ^= 1;
      writeFileSync(file, damaged);
      expect(runTool(tool, "--chip", chip, "image-info", file)).to.match(/^Checksum: .*invalid/m);
    });

    it(`what elf2image writes for ${chip} is accepted, and read the same`, () => {
      const [elf, image] = [join(folder, `${chip}.elf`), join(folder, `${chip}.bin`)];
      writeFileSync(elf, elfOf(chip));
      const options = ["--flash-size", "4MB", "--elf-sha256-offset", "0xb0", "-o", image];
      runTool(tool, "--chip", chip, "elf2image", ...options, elf);
      const written = new Uint8Array(readFileSync(image));
      const verdict = verifyImageFile(written, chip, "load");
      if (!verdict.ok) throw new Error(verdict.message);
      expect(verdict.imageLength).to.equal(written.length);
      expect(verdict.description).to.include({ version: "2.0.1", project: "from-elf", secureVersion: 3 });
      const { description, imageSha256 } = inspectImage(written);
      expect(description).to.include({ chip, version: "2.0.1", project: "from-elf", securityVersion: 3 });
      expect(imageSha256).to.equal(Buffer.from(verdict.sha256).toString("hex"));
    });
  }

  it("merge-bin combines table and image into the flash of a factory-fresh device", () => {
    const device = new VirtualDevice({ world: new World({ seed: 1 }), name: "device" });
    const image = buildFirmwareImage({ chip: "esp32", version: "1.0.0", project: "base", bundle: "1" });
    device.flashFactory(PARTITIONS_8MB, image);
    const [table, app, merged] = ["table.bin", "app.bin", "merged.bin"].map((name) => join(folder, name));
    writeFileSync(table!, compilePartitionCsv(PARTITIONS_8MB));
    writeFileSync(app!, image);
    const options = ["--format", "raw", "--pad-to-size", "8MB", "-o", merged!];
    runTool(tool, "--chip", "esp32", "merge-bin", ...options, "0x8000", table!, "0x20000", app!);
    expect(Buffer.compare(readFileSync(merged!), device.flash.bytes)).to.equal(0);
  });
});

/** Constants with a description, code in RAM and code in flash, where a firmware for this chip has them. */
function elfOf(chip: Chip): Uint8Array {
  const { drom, irom } = CHIPS[chip];
  const sharedMapping = !XTENSA.includes(chip) || chip === "esp32s3";
  const iram = {
    esp32: 0x40080000,
    esp32s2: 0x40028000,
    esp32s3: 0x40374000,
    esp32c2: 0x40380000,
    esp32c3: 0x40380000,
    esp32c6: 0x40800000,
    esp32h2: 0x40800000,
    esp32p4: 0x4ff40000,
  }[chip];
  const description = encodeAppDescription({
    secureVersion: 3,
    version: "2.0.1",
    project: "from-elf",
    time: "12:00:00",
    date: "Jan  1 2026",
    idfVersion: "v6.0",
    elfSha256: new Uint8Array(32),
    maxBlockRevision: 99,
  });
  const code = new Uint8Array(512).fill(0x5a);
  return encodeElf(XTENSA.includes(chip) ? MACHINE_XTENSA : MACHINE_RISCV, iram, [
    { name: ".flash.appdesc", address: drom.low + 0x20, data: Buffer.concat([description, code]) },
    { name: ".iram0.text", address: iram, data: code },
    { name: ".flash.text", address: irom.low + (sharedMapping ? 0x10000 : 0) + 0x20, data: code },
  ]);
}
