// What is reported about a boot: the slot, the reason in words, and otadata as the boot loader leaves it.

import { expect } from "chai";
import { bootFlash } from "../../../host-sim/flash-file/boot-report.js";
import { openFlash } from "../../../host-sim/flash-file/open.js";
import { encodeOtadataEntry, makeOtadataEntry, OTA_STATE } from "../../../host-sim/hardware/boot/otadata.js";
import { Flash } from "../../../host-sim/hardware/flash/flash.js";
import { buildFirmwareImage, type Chip } from "../../../host-sim/hardware/image/app-image.js";
import {
  compilePartitionCsv,
  PARTITION_TABLE_OFFSET,
} from "../../../host-sim/hardware/partitions/partition-table.js";

const OTADATA = 0xd000;
const [FACTORY, OTA_0, OTA_1] = [0x10000, 0x20000, 0x30000];
const SLOTS = "ota_0,app,ota_0,0x20000,64K\nota_1,app,ota_1,0x30000,64K";
const CSV = `otadata,data,ota,0xd000,0x2000\nfactory,app,factory,0x10000,64K\n${SLOTS}`;
const CSV_WITHOUT_FACTORY = `otadata,data,ota,0xd000,0x2000\n${SLOTS}`;

function flashWith(
  apps: readonly number[],
  entries: readonly ([number, number] | undefined)[] = [],
  { csv = CSV, chip = "esp32" as Chip } = {},
): Uint8Array {
  const { bytes } = new Flash(0x40000);
  bytes.set(compilePartitionCsv(csv), PARTITION_TABLE_OFFSET);
  const image = buildFirmwareImage({ chip, version: "1.0.0", project: "test", bundle: "1" });
  for (const offset of apps) bytes.set(image, offset);
  for (const [index, entry] of entries.entries()) {
    if (entry !== undefined)
      bytes.set(encodeOtadataEntry(makeOtadataEntry(...entry)), OTADATA + index * 0x1000);
  }
  return bytes;
}

const boot = (bytes: Uint8Array) => bootFlash(openFlash(bytes));

describe("the report of a boot", () => {
  it("says that factory boots when otadata is erased", () => {
    expect(boot(flashWith([FACTORY]))).to.deep.include({
      slot: "factory",
      reason: "neither otadata entry can be used (entry 0 is erased, entry 1 is erased): factory is first",
      wrote: false,
    });
  });

  it("names the entry that decides, and why", () => {
    const { slot, reason, otadata } = boot(
      flashWith(
        [OTA_0, OTA_1],
        [
          [3, OTA_STATE.VALID],
          [4, OTA_STATE.VALID],
        ],
      ),
    );
    expect(slot).to.equal("ota_1");
    expect(reason).to.equal("otadata entry 1 (sequence 4, VALID) has the highest sequence number: ota_1");
    expect(otadata).to.deep.include.members([
      {
        sequence: 4,
        slot: "ota_1",
        state: "VALID",
        crc: "right",
        hex: "04000000ffffffffffffffffffffffffffffffffffffffff02000000a8689d70",
      },
    ]);
  });

  it("reports a trial that begins, and one that was not confirmed", () => {
    const bytes = flashWith(
      [OTA_0, OTA_1],
      [
        [1, OTA_STATE.VALID],
        [2, OTA_STATE.NEW],
      ],
    );
    const first = openFlash(bytes);
    expect(bootFlash(first)).to.deep.include({
      slot: "ota_1",
      reason:
        "otadata entry 1 (sequence 2, NEW) has the highest sequence number: ota_1; " +
        "entry 1 was NEW and is PENDING_VERIFY now: this is its trial",
      wrote: true,
    });
    const second = bootFlash(openFlash(first.flash.bytes));
    expect(second.slot).to.equal("ota_0");
    expect(second.reason).to.equal(
      "entry 1 was PENDING_VERIFY (ota_1 was not confirmed) and is ABORTED now; " +
        "otadata entry 0 (sequence 1, VALID) is the only valid one: ota_0",
    );
    expect(second.otadata.map(({ state }) => state)).to.deep.equal(["VALID", "ABORTED"]);
  });

  it("reports which image was refused and what boots instead", () => {
    const { slot, reason } = boot(flashWith([FACTORY, OTA_0], [[2, OTA_STATE.VALID]]));
    expect(slot).to.equal("ota_0");
    expect(reason).to.match(
      /ota_1 does not boot \(ESP_ERR_IMAGE_INVALID: first byte is 0xff, not 0xe9\); ota_0 is the next/,
    );
  });

  it("reports that nothing boots", () => {
    const { slot, reason } = boot(flashWith([]));
    expect(slot).to.equal(null);
    expect(reason).to.match(/; no image boots: the chip resets over and over$/);
  });

  it("reports the record that is made without factory, and damaged entries", () => {
    const { reason, otadata } = boot(flashWith([OTA_0], [], { csv: CSV_WITHOUT_FACTORY }));
    expect(reason).to.match(
      /there is no factory, so ota_0 is first; the slot that boots is recorded in entry 0, as VALID$/,
    );
    expect(otadata[0]).to.include({ sequence: 1, state: "VALID", crc: "right" });
    const damaged = flashWith(
      [FACTORY],
      [
        [1, OTA_STATE.VALID],
        [2, OTA_STATE.INVALID],
      ],
    );
    damaged[OTADATA + 28]! ^= 1;
    expect(boot(damaged).reason).to.contain(
      "(entry 0 has a wrong CRC, entry 1 is INVALID): factory is first",
    );
  });

  it("works without otadata, and without roll back", () => {
    expect(boot(flashWith([FACTORY], [], { csv: "factory,app,factory,0x10000,64K" }))).to.deep.include({
      slot: "factory",
      otadata: [],
      reason: "the table has no otadata partition: factory is first",
    });
    const trial = openFlash(
      flashWith(
        [OTA_0, OTA_1],
        [
          [1, OTA_STATE.VALID],
          [2, OTA_STATE.NEW],
        ],
      ),
    );
    expect(bootFlash(trial, { rollback: false })).to.include({ slot: "ota_1", wrote: false });
  });
});

describe("a flash file", () => {
  it("reveals its chip by its images", () => {
    expect(openFlash(flashWith([FACTORY], [], { chip: "esp32c6" })).chip).to.equal("esp32c6");
    expect(openFlash(flashWith([FACTORY]), "esp32s3").chip).to.equal("esp32s3");
  });

  it("is refused with the reason when it is not a flash file", () => {
    expect(() => openFlash(new Uint8Array(5000))).to.throw(
      "the file has 5000 bytes; a whole flash has a multiple of 4096",
    );
    expect(() => openFlash(new Uint8Array(0x10000).fill(0xff))).to.throw(
      "the flash is erased at 0x8000: it has no partition table",
    );
    expect(() => openFlash(new Uint8Array(0x10000))).to.throw(
      "the partition table at 0x8000 is not valid: partition row 0 has the magic number 0x0",
    );
  });

  it("is copied: the given bytes stay unchanged", () => {
    const bytes = flashWith(
      [OTA_0, OTA_1],
      [
        [1, OTA_STATE.VALID],
        [2, OTA_STATE.NEW],
      ],
    );
    const before = bytes.slice();
    expect(boot(bytes).wrote).to.equal(true);
    expect(Buffer.compare(bytes, before)).to.equal(0);
  });
});
