// What someone reads out of the flash of a device that was set up: on chips with an HMAC peripheral no Wi-Fi password and no token, because its
// settings are encrypted with a key from its eFuses.

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { SERVER_TOKEN_KEY } from "../../firmware/core/server/server-token.js";
import { DESK_SERVER, HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { reportFlash } from "../../host-sim/flash-file/flash-report.js";
import { keysOfEfuses } from "../../host-sim/flash-file/nvs-key-files.js";
import type { Chip } from "../../host-sim/hardware/chips.js";
import { newEfuseBlocks } from "../../host-sim/hardware/efuse-blocks.js";
import { Flash } from "../../host-sim/hardware/flash/flash.js";
import type { NvsKeys } from "../../host-sim/hardware/nvs/nvs.js";
import { decodeNvsKeys } from "../../host-sim/hardware/nvs/nvs-keys.js";
import { imageOf, type Rig, type RigOptions, setUpRig } from "./rig.js";

const ENCRYPTED_TABLE = fileURLToPath(new URL("../../partitions/8mb-encrypted.csv", import.meta.url));
const NAMESPACE = "skyslot";

describe("the flash of a device that was set up", () => {
  let rig: Rig;
  const folder = mkdtempSync(join(tmpdir(), "skyslot-settings-"));
  afterEach(() => rig.close());
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function setUp(chip: Chip, more: RigOptions = {}, update = "1.1.0"): Promise<void> {
    rig = await setUpRig({
      chip,
      image: await imageOf("base", "1.0.0", chip),
      update: await imageOf("base", update, chip),
      ...more,
    });
    rig.desk.device.powerOn();
  }
  const until = (done: () => boolean) => rig.desk.world.runUntil(done, { limitMs: 3_600_000 });
  const isValidated = () => rig.reports.some(({ step }) => step === "validated");

  function texts(): string {
    const path = join(folder, "flash.bin");
    writeFileSync(path, rig.desk.device.flash.bytes);
    return execFileSync("strings", ["-n", "6", path], { encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  }
  /** What of the secrets is in it, as text. */
  function found(): string[] {
    const { nvs } = rig.desk.device.openNvs();
    const server = String(nvs!.get(NAMESPACE, SERVER_TOKEN_KEY, "str").value)
      .split(" ")
      .at(-1)!;
    expect(server.length).above(20);
    const text = texts();
    expect(text.includes(DESK_SERVER), "what is no secret").equal(true);
    const secrets = { password: HOME.password, owner: OWNER_TOKEN, server };
    return Object.entries(secrets).flatMap(([name, secret]) => (text.includes(secret) ? [name] : []));
  }

  it("has no secret in it on an ESP32-S3, and is read with the chip's eFuses only", async () => {
    await setUp("esp32s3");
    expect(await until(isValidated)).equal(true);
    rig.desk.device.powerOff();
    expect(found()).deep.equal([]);
    const { flash, efuse } = rig.desk.device;
    const [keys] = keysOfEfuses(efuse.blocks);
    const entries = (nvsKeys: readonly NvsKeys[]) =>
      reportFlash(flash.bytes, { showSecrets: true, nvsKeys }).nvs[0]!.entries;
    expect(entries([keys!]).map(({ value }) => value)).include(OWNER_TOKEN);
    expect(entries([])).deep.equal([]);
  });

  for (const [chip, expected] of [
    ["esp32c3", []],
    ["esp32c6", []],
    // it has no such peripheral
    ["esp32", ["password", "owner", "server"]],
  ] as const)
    it(`has ${expected.length} of its secrets in it on an ${chip}`, async () => {
      await setUp(chip, {}, "1.0.0");
      expect(await until(() => rig.checks.length > 2)).equal(true);
      rig.desk.device.powerOff();
      expect(found()).deep.equal(expected);
    });

  it("has none in it with the table for flash encryption, but the keys, which only that protects", async () => {
    await setUp("esp32", { partitions: ENCRYPTED_TABLE });
    expect(await until(isValidated)).equal(true);
    rig.desk.device.powerOff();
    expect(found()).deep.equal([]);
    const { partitions, flash } = rig.desk.device;
    expect(decodeNvsKeys(flash.view(partitions.find(({ label }) => label === "nvs_keys")!.offset, 68))).keys(
      "keys",
    );
  });

  it("belongs to its chip: in another one the settings are gone, and the device is set up anew", async () => {
    await setUp("esp32s3", {}, "1.0.0");
    expect(await until(() => rig.checks.length > 1)).equal(true);
    rig.desk.device.powerOff();
    const { flash, efuse } = rig.desk.device;
    const copy = () => ({ flash: new Flash(flash.sizeBytes, flash.bytes), image: undefined, manual: true });
    const stolen = copy();
    const own = { ...copy(), efuseBlocks: efuse.blocks };
    await rig.close();
    await setUp("esp32s3", own, "1.0.0");
    expect(await until(() => rig.checks.length > 0), "in its own chip it goes on").equal(true);
    await rig.close();
    await setUp("esp32s3", { ...stolen, seed: 7 }, "1.0.0");
    await rig.desk.world.runFor(300_000);
    expect(rig.checks).length(0);
    expect(rig.trace.join("\n")).match(/set ?up|portal/i);
  });

  it("does not start where the key's block has another use", async () => {
    const efuseBlocks = newEfuseBlocks();
    efuseBlocks[13] = 4 << 4; // KEY5: XTS_AES_128_KEY
    await setUp("esp32s3", { efuseBlocks });
    await rig.desk.world.runFor(10_000);
    expect(rig.events).deep.include({
      type: "bootFailed",
      message: "NVS: ESP_ERR_NVS_SEC_HMAC_KEY_GENERATION_FAILED",
    });
    expect(rig.checks).length(0);
  });
});
