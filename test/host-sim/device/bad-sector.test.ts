// An update onto a flash with a bad sector: whatever the sector does, the device notices before the image can run, gives up after a bounded
// number of tries, reports why and keeps running its old image.

import { readFileSync } from "node:fs";
import { expect } from "chai";
import { Watch } from "../../../host-sim/device/watch.js";
import { Flash, SECTOR_BYTES } from "../../../host-sim/hardware/flash/flash.js";
import type { SectorFault } from "../../../host-sim/hardware/flash/sector-faults.js";
import { openHouse } from "../../../host-sim/sweep/house.js";
import { buildSweepImages, type SweepImages } from "../../../host-sim/sweep/images.js";

const FLASH_BYTES = 8 * 1024 * 1024;
const TABLE = readFileSync("partitions/8mb.csv", "utf8");
const OTADATA_SECTORS: readonly number[] = [0xe, 0xf];
const SLOT_SECTOR = 0x220000 / SECTOR_BYTES;
/** Inside the slot: the second sector of the second chunk. */
const BAD_SECTOR = 5;
const HOUR_MS = 3_600_000;

interface Case {
  readonly fault: SectorFault;
  readonly code: "FLASH_FAILED" | "CHUNK_MISMATCH";
  readonly message: RegExp;
  /** How often the bad sector was erased. */
  readonly eraseCount: number;
}

const MISMATCH = {
  code: "CHUNK_MISMATCH",
  message: /^bytes 16384 to 32767 .* gave up after 5 tries$/,
} as const;

const CASES: Readonly<Record<string, Case>> = {
  "fails to erase": {
    fault: { kind: "eraseError" },
    code: "FLASH_FAILED",
    message: /^erase of 65536 bytes at 0: .*erase failed$/,
    eraseCount: 0,
  },
  "fails to program": {
    fault: { kind: "programError" },
    code: "FLASH_FAILED",
    message: /^write of \d+ bytes at 20480: .*write failed$/,
    eraseCount: 1,
  },
  "is not erased, and reports success": { fault: { kind: "eraseIgnored" }, ...MISMATCH, eraseCount: 5 },
  "is not programmed, and reports success": { fault: { kind: "programIgnored" }, ...MISMATCH, eraseCount: 5 },
  "has a bit that cannot be erased": {
    fault: { kind: "stuckBits", offset: 100, bits: 0xff, value: 0 },
    ...MISMATCH,
    eraseCount: 5,
  },
  "has bits that cannot be programmed": {
    fault: { kind: "stuckBits", offset: 100, bits: 0xff, value: 1 },
    ...MISMATCH,
    eraseCount: 5,
  },
};

describe("an update", function () {
  this.timeout(60_000);
  let images: SweepImages;

  before(async () => {
    images = await buildSweepImages(1);
  });

  /** A device that is offered an update. The sectors of its slot are not erased. */
  function offeredDevice() {
    const flash = new Flash(FLASH_BYTES);
    const house = openHouse({ flash, alone: false, say: () => ({ release: images.update }) });
    const { device, world } = house.desk;
    device.flashFactory(TABLE, images.factory.image);
    flash.write(SLOT_SECTOR * SECTOR_BYTES, new Uint8Array(images.update.image.length));
    const failed = () => house.server.reports.filter(({ status }) => status === "failed");
    return { flash, device, world, failed, watch: new Watch(device) };
  }

  for (const [name, { fault, code, message, eraseCount }] of Object.entries(CASES)) {
    it(`onto a sector that ${name} fails, is reported and boots nothing`, async () => {
      const { flash, device, world, failed, watch } = offeredDevice();
      flash.faults.set(SLOT_SECTOR + BAD_SECTOR, fault);
      device.powerOn();
      await world.runUntil(() => failed().length > 0, { limitMs: HOUR_MS });
      const [report] = failed();
      expect(report).include({ firmware_id: images.update.firmwareId, error_code: code });
      expect(report?.error_message).match(message);
      expect(watch.slots.get("ota_0")?.erases.get(BAD_SECTOR) ?? 0).equal(eraseCount);
      expect([device.bootCount, device.running?.label]).deep.equal([1, "factory"]);
      expect(OTADATA_SECTORS.map((sector) => flash.eraseCountOf(sector))).deep.equal([0, 0]);
    });
  }

  for (const [name, { fault, eraseCount }] of Object.entries(CASES)) {
    it(`onto a sector that ${name} is tried three times a day, and its sector is not worn out`, async () => {
      const { flash, device, world, failed, watch } = offeredDevice();
      flash.faults.set(SLOT_SECTOR + BAD_SECTOR, fault);
      device.powerOn();
      await world.runFor(12 * HOUR_MS);
      device.powerOff();
      device.powerOn();
      await world.runFor(6 * HOUR_MS);
      expect(failed().length).equal(3);
      expect(failed()[2]?.error_message).match(/failed too often, and is held back for a day$/);
      expect(watch.slots.get("ota_0")?.erases.get(BAD_SECTOR) ?? 0).equal(3 * eraseCount);
      expect(device.running?.label).equal("factory");
      await world.runFor(7 * HOUR_MS);
      expect(failed().length, "a day later").equal(6);
    });
  }

  it("succeeds once the sector is repaired", async () => {
    const { flash, device, world, failed } = offeredDevice();
    flash.faults.set(SLOT_SECTOR + BAD_SECTOR, { kind: "programIgnored" });
    device.powerOn();
    await world.runUntil(() => failed().length > 0, { limitMs: HOUR_MS });
    flash.faults.set(SLOT_SECTOR + BAD_SECTOR, undefined);
    await world.runUntil(() => device.running?.label === "ota_0", { limitMs: HOUR_MS });
    expect(device.running?.label).equal("ota_0");
  });

  for (const kind of ["eraseError", "programError", "programIgnored"] as const) {
    it(`that otadata cannot keep (${kind}) fails and is reported, and the old image runs`, async () => {
      const { flash, device, world, failed } = offeredDevice();
      for (const sector of OTADATA_SECTORS) flash.faults.set(sector, { kind });
      device.powerOn();
      await world.runUntil(() => failed().length > 0, { limitMs: HOUR_MS });
      expect(failed()[0]).include({ firmware_id: images.update.firmwareId, error_code: "ARM_FAILED" });
      // an entry that is silently lost is armed again three times
      expect(device.bootCount).equal(kind === "programIgnored" ? 5 : 1);
      expect(device.running?.label).equal("factory");
    });
  }
});
