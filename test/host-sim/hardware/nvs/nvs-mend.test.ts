// When a start erases NVS: never while it can be opened, whatever is damaged in it.

import { expect } from "chai";
import { Flash } from "../../../../host-sim/hardware/flash/flash.js";
import { initNvs } from "../../../../host-sim/hardware/nvs/nvs-init.js";
import { startNvs } from "../../../../host-sim/hardware/nvs/nvs-mend.js";
import { PAGE_BYTES, pageState } from "../../../../host-sim/hardware/nvs/nvs-page.js";
import {
  compilePartitionCsv,
  parsePartitionTable,
} from "../../../../host-sim/hardware/partitions/partition-table.js";
import { writePageHeader } from "../../nvs-states.js";

const OFFSET = 0x9000;
const PAGE_COUNT = 5;
const partitions = parsePartitionTable(
  compilePartitionCsv("nvs, data, nvs, 0x9000, 0x5000\nota_0, app, ota_0, 0x10000, 64K\n"),
);

/** A flash whose NVS holds a value. */
function flashWithValue(): Flash {
  const flash = new Flash(0x20000);
  expect(initNvs(flash, partitions).nvs!.set("app", "kept", "u8", 7)).equal("ESP_OK");
  return flash;
}

const valueIn = (flash: Flash) => initNvs(flash, partitions).nvs?.get("app", "kept").value;
const start = (flash: Flash, isOnTrial = false) => startNvs(flash, partitions, () => isOnTrial);
const page = (index: number) => OFFSET + index * PAGE_BYTES;

describe("NVS at a start", () => {
  const REFUSED: Readonly<Record<string, readonly [string, (flash: Flash) => void]>> = {
    "one page of a newer version": [
      "ESP_ERR_NVS_NEW_VERSION_FOUND",
      (flash) => writePageHeader(flash, page(3), { state: pageState.active, sequence: 9, version: 0xfd }),
    ],
    "pages of a much newer version": [
      "ESP_ERR_NVS_NEW_VERSION_FOUND",
      (flash) => {
        for (let index = 0; index < PAGE_COUNT; index++)
          writePageHeader(flash, page(index), { state: pageState.full, sequence: index, version: 0x80 });
      },
    ],
    "no free page": [
      "ESP_ERR_NVS_NO_FREE_PAGES",
      (flash) => {
        for (let index = 1; index < PAGE_COUNT; index++)
          writePageHeader(flash, page(index), { state: pageState.full, sequence: index, version: 0xfe });
      },
    ],
  };
  for (const [what, [error, damage]] of Object.entries(REFUSED)) {
    it(`is erased and opened with ${what}`, () => {
      const flash = flashWithValue();
      damage(flash);
      expect(initNvs(flash, partitions)).deep.equal({ error });
      const { nvs, erasedFor } = start(flash);
      expect(erasedFor).equal(error);
      expect(nvs!.set("app", "new", "u8", 1)).equal("ESP_OK");
      expect(valueIn(flash)).equal(undefined);
      expect(start(flash).erasedFor, "the next start").equal(undefined);
    });

    it(`is left as it is with ${what} by an image on trial`, () => {
      const flash = flashWithValue();
      damage(flash);
      const before = flash.bytes.slice();
      expect(start(flash, true)).deep.equal({ error });
      expect(Buffer.compare(flash.bytes, before)).equal(0);
    });
  }

  it("is never erased while it is full", () => {
    const flash = flashWithValue();
    const { nvs } = initNvs(flash, partitions);
    for (let key = 0; nvs!.set("app", `k${key}`, "u32", key) === "ESP_OK"; key++);
    expect(start(flash).erasedFor).equal(undefined);
    expect(valueIn(flash)).equal(7);
  });

  const DAMAGED: Readonly<Record<string, (flash: Flash) => void>> = {
    "zeros in another page": (flash) => flash.bytes.fill(0, page(1), page(2)),
    "zeros in all other pages": (flash) => flash.bytes.fill(0, page(1), page(PAGE_COUNT)),
    "bytes of something else": (flash) => {
      for (let at = page(1); at < page(PAGE_COUNT); at++) flash.bytes[at] = (at * 167) & 255;
    },
    "a newer page whose header is damaged": (flash) => {
      writePageHeader(flash, page(2), { state: pageState.active, sequence: 9, version: 0xfd });
      flash.bytes[page(2) + 28]! ^= 1;
    },
  };
  for (const [what, damage] of Object.entries(DAMAGED))
    it(`keeps what can be read beside ${what}`, () => {
      const flash = flashWithValue();
      damage(flash);
      expect(start(flash).erasedFor).equal(undefined);
      expect(valueIn(flash)).equal(7);
    });

  it("that is damaged throughout is opened as an empty one, without us", () => {
    const flash = flashWithValue();
    flash.bytes.fill(0, page(0), page(PAGE_COUNT));
    const { nvs, erasedFor } = start(flash);
    expect(erasedFor).equal(undefined);
    expect(nvs!.set("app", "new", "u8", 1)).equal("ESP_OK");
  });

  it("without a partition is not opened", () => {
    const apps = partitions.filter(({ label }) => label !== "nvs");
    expect(startNvs(flashWithValue(), apps, () => false)).deep.equal({ error: "ESP_ERR_NOT_FOUND" });
  });
});
