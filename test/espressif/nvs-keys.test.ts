// The keys of encrypted settings against Espressif's programs: what espefuse burns, in each of its output formats, and what
// esp-idf-nvs-partition-gen derives from the same key and encrypts with it.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { keysOfEfuses, keysOfPartition } from "../../host-sim/flash-file/nvs-key-files.js";
import { listNvs } from "../../host-sim/flash-file/nvs-report.js";
import { openFlash } from "../../host-sim/flash-file/open.js";
import { Efuse } from "../../host-sim/hardware/efuse.js";
import { burnHmacKey, newEfuseBlocks } from "../../host-sim/hardware/efuse-blocks.js";
import { Flash } from "../../host-sim/hardware/flash/flash.js";
import { Nvs } from "../../host-sim/hardware/nvs/nvs.js";
import { deriveNvsKeys } from "../../host-sim/hardware/nvs/nvs-keys.js";
import {
  compilePartitionCsv,
  PARTITION_TABLE_OFFSET,
} from "../../host-sim/hardware/partitions/partition-table.js";
import { findTool, runTool, type Tool } from "./tools.js";

const SIZE = 0x6000;
const HMAC_KEY = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 29 + 5) & 0xff));

describe("the keys of encrypted settings, and Espressif's programs", function () {
  this.timeout(120_000);
  let generator: Tool;
  let folder: string;
  const file = (name: string): string => join(folder, name);
  const read = (name: string): Uint8Array => new Uint8Array(readFileSync(file(name)));

  before(function () {
    const found = findTool("esp_idf_nvs_partition_gen", "esp-idf-nvs-partition-gen");
    if (found === undefined) return this.skip();
    generator = found;
    folder = mkdtempSync(join(tmpdir(), "skyslot-nvs-keys-"));
    writeFileSync(file("hmac.bin"), HMAC_KEY);
    writeFileSync(
      file("in.csv"),
      'key,type,encoding,value\nskyslot,namespace,,\ndevice.name,data,string,"Garden"\n',
    );
    const options = ["--key_protect_hmac", "--kp_hmac_inputkey", file("hmac.bin")];
    const out = ["--keygen", "--keyfile", "keys.bin", "--outdir", folder];
    runTool(generator, "encrypt", file("in.csv"), "nvs.bin", String(SIZE), ...options, ...out);
  });
  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  it("are derived as the generator derives them, and read what it encrypts", () => {
    const keys = keysOfPartition(read("keys/keys.bin"));
    expect(keysOfEfuses(HMAC_KEY)).deep.equal([keys]);
    const flash = new Uint8Array(0x10000).fill(0xff);
    flash.set(compilePartitionCsv("nvs,data,nvs,0x9000,0x6000\n"), PARTITION_TABLE_OFFSET);
    flash.set(read("nvs.bin"), 0x9000);
    expect(listNvs(openFlash(flash))[0]).include({ encrypted: true, stats: null });
    const [report] = listNvs(openFlash(flash), { nvsKeys: [keys] });
    expect(report).include({ encrypted: true, mount: "ESP_OK" });
    expect(report!.entries).deep.include({
      namespace: "skyslot",
      key: "device.name",
      type: "str",
      value: "Garden",
    });
  });

  it("encrypt what a virtual chip stores to the bytes that the generator writes", () => {
    const efuse = new Efuse("esp32s3");
    burnHmacKey(efuse.blocks, 5, HMAC_KEY);
    const flash = new Flash(SIZE);
    const keys = deriveNvsKeys(efuse.hmacKey(5, Math.random)!);
    const { nvs } = Nvs.mount(flash, 0, SIZE, keys);
    expect(nvs!.set("skyslot", "device.name", "str", "Garden")).equal("ESP_OK");
    expect(Buffer.compare(flash.bytes, read("nvs.bin"))).equal(0);
  });

  for (const chip of ["esp32c3", "esp32s3", "esp32c6"])
    it(`are found among the eFuses that espefuse burns into an ${chip}`, function () {
      const espefuse = findTool("espefuse", "esptool");
      if (espefuse === undefined) return this.skip();
      const common = ["--chip", chip, "--virt", "--path-efuse-file", file(`${chip}.bin`), "--do-not-confirm"];
      runTool(
        espefuse,
        ...common,
        "burn-key",
        "BLOCK_KEY5",
        file("hmac.bin"),
        "HMAC_UP",
        "--no-read-protect",
      );
      runTool(espefuse, ...common, "dump", "--format", "joint", "--file-name", file(`${chip}-joint.bin`));
      const keys = keysOfEfuses(HMAC_KEY);
      expect(keysOfEfuses(read(`${chip}-joint.bin`))).deep.equal(keys);
      expect(keysOfEfuses(read(`${chip}.bin`))).deep.equal(keys);
    });

  it("cannot be read from a chip that protects them", function () {
    const espefuse = findTool("espefuse", "esptool");
    if (espefuse === undefined) return this.skip();
    const common = ["--chip", "esp32c3", "--virt", "--path-efuse-file", file("shut.bin"), "--do-not-confirm"];
    runTool(espefuse, ...common, "burn-key", "BLOCK_KEY5", file("hmac.bin"), "HMAC_UP");
    runTool(espefuse, ...common, "dump", "--format", "joint", "--file-name", file("shut-joint.bin"));
    expect(() => keysOfEfuses(read("shut-joint.bin"))).throw(/reads as zeros/);
    // a virtual chip's say the same of their key: its purpose, and that software cannot read it
    const ours = newEfuseBlocks();
    burnHmacKey(ours, 5, HMAC_KEY);
    const said = (blocks: Uint8Array) => [blocks[4], ...blocks.subarray(11, 14)];
    expect(said(ours)).deep.equal(said(read("shut-joint.bin")));
  });
});
