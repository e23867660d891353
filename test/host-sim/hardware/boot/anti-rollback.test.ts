import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "chai";
import { VirtualDevice } from "../../../../host-sim/device/device.js";
import { runBootLoader } from "../../../../host-sim/hardware/boot/boot-loader.js";
import { Ota } from "../../../../host-sim/hardware/boot/ota.js";
import {
  encodeOtadataEntry,
  makeOtadataEntry,
  OTA_STATE,
} from "../../../../host-sim/hardware/boot/otadata.js";
import { Efuse } from "../../../../host-sim/hardware/efuse.js";
import { ChipAborted } from "../../../../host-sim/hardware/esp-error.js";
import { Flash, SECTOR_BYTES } from "../../../../host-sim/hardware/flash/flash.js";
import { APP_DESCRIPTION_OFFSET } from "../../../../host-sim/hardware/image/app-description.js";
import { buildFirmwareImage } from "../../../../host-sim/hardware/image/firmware-image.js";
import {
  compilePartitionCsv,
  parsePartitionTable,
} from "../../../../host-sim/hardware/partitions/partition-table.js";
import { World } from "../../../../host-sim/world/world.js";
import { expectGolden } from "../../../golden.js";

const CSV = ["otadata,data,ota,0xe000,0x2000", "ota_0,app,ota_0,0x10000,64K", "ota_1,app,ota_1,,64K"];
const OTADATA = 0xe000;
const SLOTS = [0x10000, 0x20000] as const;

const imageOf = (secureVersion: number) =>
  buildFirmwareImage({ chip: "esp32", version: "1.0.0", project: "test", bundle: "", secureVersion });

/** Two slots with apps of these secure versions, and otadata entries of these states for them (slot 1 is the newer one). */
class Chip {
  readonly flash = new Flash(0x30000);
  readonly partitions = parsePartitionTable(compilePartitionCsv(CSV.join("\n")));
  readonly efuse = new Efuse("esp32");

  constructor(versions: readonly [number, number], states: readonly [number?, number?] = []) {
    versions.forEach((version, slot) => {
      this.flash.bytes.set(imageOf(version), SLOTS[slot]!);
    });
    states.forEach((state, index) => {
      if (state === undefined) return;
      const entry = encodeOtadataEntry(makeOtadataEntry(index + 1, state));
      this.flash.bytes.set(entry, OTADATA + index * SECTOR_BYTES);
    });
  }

  boot() {
    const { flash, partitions, efuse } = this;
    return runBootLoader(flash, partitions, { rollback: true, chip: "esp32", antiRollback: efuse });
  }

  /** The functions of the app that the boot loader starts. */
  app(): Ota {
    const { booted } = this.boot();
    const options = { rollback: true, chip: "esp32", antiRollback: this.efuse } as const;
    return new Ota(this.flash, this.partitions, booted!, options);
  }
}

describe("anti-rollback", () => {
  it("is as measured on ESP-IDF's own code: what boots, what is burned, what is refused", () => {
    expectGolden("anti-rollback-boot", { casesMin: 3_000, partsMin: 6_000 });
    expectGolden("anti-rollback-ota", { casesMin: 600, partsMin: 7_000 });
  });

  it("counts up only, as far as the chip has bits", () => {
    const efuse = new Efuse("esp32c3");
    expect(efuse.burn(3)).equal("ESP_OK");
    expect(efuse.burn(3)).equal("ESP_OK");
    expect(efuse.burn(2)).equal("ESP_FAIL");
    expect(efuse.burn(17)).equal("ESP_ERR_INVALID_ARG");
    expect(efuse.secureVersion).equal(3);
    expect([2, 3, 4].map((version) => efuse.allows(version))).deep.equal([false, true, true]);
    expect(new Efuse("esp32").burn(32)).equal("ESP_OK");
  });

  it("counts the bits wherever they are, and burns none twice", () => {
    const efuse = new Efuse("esp32", { bits: 0b10 });
    expect(efuse.secureVersion).equal(1);
    expect(efuse.burn(2)).equal("ESP_OK");
    expect(efuse.secureVersion).equal(1);
    expect(efuse.burn(3)).equal("ESP_OK");
    expect(efuse.bits).equal(0b10);
    expect(new Efuse("esp32c2").burn(5)).equal("ESP_ERR_INVALID_ARG");
    expect(new Efuse("esp32c2").burn(4)).equal("ESP_OK");
  });

  it("panics on an image without an app description, and only then", () => {
    const chip = new Chip([1, 1], [OTA_STATE.VALID]);
    const app = chip.app();
    const ota1 = chip.partitions.find(({ label }) => label === "ota_1")!;
    const image = imageOf(1).slice();
    // two bytes of the magic number, so that the checksum stays right
    for (const offset of [APP_DESCRIPTION_OFFSET, APP_DESCRIPTION_OFFSET + 1]) image[offset]! ^= 1;
    image.set(createHash("sha256").update(image.subarray(0, -32)).digest(), image.length - 32);
    chip.flash.bytes.fill(0xff, SLOTS[1], SLOTS[1] + 0x10000);
    chip.flash.bytes.set(image, SLOTS[1]);
    expect(() => app.setBoot(ota1)).throw(ChipAborted);
    const without = new Ota(chip.flash, chip.partitions, app.running, { rollback: true, chip: "esp32" });
    expect(without.setBoot(ota1)).equal("ESP_OK");
  });

  it("records the first slot that may run on a new chip, and burns its version", () => {
    const chip = new Chip([0, 2]);
    chip.efuse.burn(1);
    expect(chip.boot().booted?.label).equal("ota_1");
    expect(chip.efuse.secureVersion).equal(2);
    expect(chip.boot().selected).equal(1);
  });

  it("burns the version of an app that is valid, and not of one on trial", () => {
    const chip = new Chip([1, 2], [OTA_STATE.VALID, OTA_STATE.NEW]);
    expect(chip.boot().booted?.label).equal("ota_1");
    expect(chip.efuse.secureVersion).equal(0);
    expect(chip.boot().booted?.label).equal("ota_0");
    expect(chip.efuse.secureVersion).equal(1);
  });

  it("does not select an entry whose app is too old, however high its sequence number", () => {
    const chip = new Chip([2, 1], [OTA_STATE.VALID, OTA_STATE.VALID]);
    chip.efuse.burn(2);
    expect(chip.boot().selected).equal(0);
  });

  it("starts nothing instead of an app that is too old", () => {
    const chip = new Chip([1, 2], [OTA_STATE.VALID, OTA_STATE.VALID]);
    expect(chip.boot().booted?.label).equal("ota_1");
    chip.flash.bytes.fill(0, SLOTS[1] + 400, SLOTS[1] + 500);
    const { booted, refused } = chip.boot();
    expect(booted).equal(undefined);
    expect(refused.map(({ message }) => message).join()).match(/secure version is 1, the eFuses require 2/);
  });

  it("burns the version when the app is marked valid: then there is no way back", () => {
    const chip = new Chip([1, 2], [OTA_STATE.VALID, OTA_STATE.NEW]);
    const app = chip.app();
    expect(app.running.label).equal("ota_1");
    expect(app.rollbackPossible()).equal(true);
    expect(app.markValid()).equal("ESP_OK");
    expect(chip.efuse.secureVersion).equal(2);
    expect(app.rollbackPossible()).equal(false);
    expect(app.markInvalid()).equal("ESP_ERR_OTA_ROLLBACK_FAILED");
  });

  it("erases a slot that is armed with an app that is too old, and leaves otadata alone", () => {
    const chip = new Chip([2, 1], [OTA_STATE.VALID]);
    const app = chip.app();
    expect(chip.efuse.secureVersion).equal(2);
    const otadata = chip.flash.read(OTADATA, 2 * SECTOR_BYTES);
    expect(app.setBoot(chip.partitions.find(({ label }) => label === "ota_1"))).equal(
      "ESP_ERR_OTA_SMALL_SEC_VER",
    );
    expect(chip.flash.read(SLOTS[1], 0x10000).every((byte) => byte === 0xff)).equal(true);
    expect(chip.flash.read(OTADATA, 2 * SECTOR_BYTES)).deep.equal(otadata);
  });

  for (const antiRollback of [true, false]) {
    it(`${antiRollback ? "is" : "is not"} done by a device that is ${antiRollback ? "" : "not "}built with it`, async () => {
      const world = new World({ seed: 1 });
      const device = new VirtualDevice({ world, name: "device", antiRollback });
      device.flashFactory(readFileSync("partitions/4mb.csv", "utf8"), imageOf(3));
      device.powerOn();
      await world.runFor(1_000);
      device.powerOff();
      expect(device.lastBoot?.booted?.label).equal("ota_0");
      expect(device.efuse.secureVersion).equal(antiRollback ? 3 : 0);
    });
  }
});
