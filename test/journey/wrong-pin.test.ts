// Images whose build names pins that the chip does not have: that never keeps the device from its updates.

import { expect } from "chai";
import type { BuildConfig } from "../../host-sim/image-build/image.js";
import { home } from "../../host-sim/world/surroundings.js";
import { imageOf, type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const NO_PIN = 99;
const STATUS_LED = { statusLed: { pin: NO_PIN, activeLow: false } };
const FAILED = "the app failed: Error: invalid pin";

describe("a pin that the chip does not have", () => {
  let rig: Rig;
  let isCured: boolean;
  afterEach(() => rig.close());

  const until = async (done: () => boolean) =>
    expect(await rig.desk.world.runUntil(done, { limitMs: HOUR_MS })).equal(true);
  const succeeded = () => rig.reports.some(({ status }) => status === "success");
  const lines = (text: string) => rig.trace.filter((line) => line.includes(text)).length;
  const restarts = () => rig.events.filter(({ type }) => type === "restarted").length;

  /** A device whose factory image is wrong, and whose update has the pins of the manifest. */
  async function setUp(app: string, wrong: Partial<BuildConfig>): Promise<void> {
    isCured = false;
    rig = await setUpRig({
      image: await imageOf(app, "1.0.0", "esp32", { type: app, ...wrong }),
      update: await imageOf(app, "1.1.0", "esp32", { type: app }),
      onEvent: (event) => {
        if (event.type === "booted") isCured = event.partition.label === "ota_0";
      },
      // nothing answers on wrong pins
      surroundings: (worldMs) => ({ ...home(worldMs), hasPanel: isCured }),
    });
    rig.desk.device.powerOn();
  }

  for (const app of ["base", "led"])
    it(`in the status LED of a factory image of ${app} is reported once, and fixed by an update`, async () => {
      await setUp(app, STATUS_LED);
      await until(() => rig.checks.length > 0);
      expect(restarts()).equal(0);
      expect(lines(FAILED)).equal(1);
      expect(lines("safe mode")).equal(0);
      await until(succeeded);
      expect(rig.running()).equal("1.1.0 ota_0");
      expect(restarts(), "for the update").equal(1);
      expect(lines(FAILED)).equal(1);
    });

  it("in panel, sensor and battery of cms is logged, and fixed by an update", async () => {
    await setUp("cms", {
      panel: { width: 200, height: 200, select: NO_PIN, command: NO_PIN, reset: NO_PIN, busy: NO_PIN },
      sensor: { data: NO_PIN, clock: NO_PIN, address: 68 },
      battery: { pin: NO_PIN, share: 0.5 },
    });
    await until(succeeded);
    expect(rig.running()).equal("1.1.0 ota_0");
    for (const part of ["sensor", "battery"])
      expect(rig.trace.join("\n")).match(new RegExp(`warn: ${part} cannot be read: RangeError`));
    expect(rig.trace.join("\n")).include("error: panel: Error");
    expect(restarts(), "for the update").equal(1);
  });

  it("ends the trial of an update: the previous image runs again", async () => {
    rig = await setUpRig({ update: await imageOf("base", "1.1.0", "esp32", STATUS_LED) });
    rig.desk.device.powerOn();
    await until(() => rig.reports.some(({ status }) => status === "failed"));
    expect(rig.reports.find(({ status }) => status === "failed")).include({
      error_code: "ROLLED_BACK",
      error_message: FAILED,
    });
    expect(rig.desk.device.running?.label).equal("factory");
  });

  it("that crashes the chip is not used in safe mode, after two tries there", async () => {
    rig = await setUpRig({
      image: await imageOf("crashes-in-light.ts", "1.0.0", "esp32", { type: "base" }),
    });
    rig.desk.device.powerOn();
    await until(succeeded);
    expect(lines("the light starts"), "six starts, two in safe mode").equal(8);
    expect(rig.desk.device.running?.label).equal("ota_0");
  });
});
