// Settings that ESP-IDF refuses to open. The kind: the SDK's main function aborts then, before any code of ours, so that the chip would
// restart for ever.

import { expect } from "chai";
import type { Flash } from "../../host-sim/hardware/flash/flash.js";
import { PAGE_BYTES, pageState } from "../../host-sim/hardware/nvs/nvs-page.js";
import { writePageHeader } from "../host-sim/nvs-states.js";
import { type Rig, setUpRig } from "./rig.js";

const OFFSET = 0x9000;
const PAGE_COUNT = 5;

const writePages = (flash: Flash, version: number) => {
  for (let index = 0; index < PAGE_COUNT; index++)
    writePageHeader(flash, OFFSET + index * PAGE_BYTES, { state: pageState.full, sequence: index, version });
};

const REFUSED: Readonly<Record<string, (flash: Flash) => void>> = {
  "that a newer version of ESP-IDF wrote": (flash) => writePages(flash, 0xfd),
  "of which one page is of a newer version": (flash) =>
    writePageHeader(flash, OFFSET + PAGE_BYTES, { state: pageState.active, sequence: 8, version: 0xfc }),
  "of a larger partition, without a free page": (flash) => writePages(flash, 0xfe),
};

describe("settings that cannot be opened", () => {
  let rig: Rig;
  afterEach(() => rig.close());
  const lines = (text: string) => rig.trace.filter((line) => line.includes(text)).length;
  const count = (type: string) => rig.events.filter((event) => event.type === type).length;

  for (const [what, damage] of Object.entries(REFUSED))
    it(`${what} are erased: the device opens its setup network, and says so once`, async () => {
      rig = await setUpRig({ manual: true });
      const { device, world } = rig.desk;
      damage(device.flash);
      device.powerOn();
      await world.runFor(20_000);
      expect(count("bootFailed") + count("restarted")).equal(0);
      expect(lines("were erased")).equal(1);
      expect(lines("setup portal open"), "its setup network").equal(1);
      device.powerOff();
      device.powerOn();
      await world.runFor(20_000);
      expect(lines("were erased"), "at the next start").equal(1);
    });

  it("by an image on trial are kept for the one before, to which the device goes back", async () => {
    rig = await setUpRig();
    const { device, world } = rig.desk;
    device.powerOn();
    await world.runUntil(() => count("restarted") > 0, { limitMs: 1_200_000 });
    const settings = device.flash.bytes.slice(OFFSET, OFFSET + PAGE_COUNT * PAGE_BYTES);
    writePages(device.flash, 0xfd);
    await world.runUntil(() => count("bootFailed") > 0, { limitMs: 60_000 });
    // the image before is of the newer ESP-IDF
    device.flash.bytes.set(settings, OFFSET);
    await world.runFor(120_000);
    expect(count("bootFailed")).equal(1);
    expect(lines("were erased")).equal(0);
    expect(rig.running()).match(/^1\.0\.0 /);
    expect(lines("was rolled back")).equal(1);
  });
});
