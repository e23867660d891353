// Firmware that crashes on each image that it installs, until it ignores the offer.

import { expect } from "chai";
import { imageOf, type Rig, releaseOf, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;

describe("an offer that crashes the device", () => {
  let rig: Rig;
  afterEach(() => rig.close());

  const restarts = () => rig.events.filter(({ type }) => type === "restarted").length;
  const reportCount = () => rig.reports.filter(({ error_code }) => error_code === "OFFER_CRASHES").length;

  it("is ignored after three restarts, reported, and retried a day later; another one is tried at once", async () => {
    const checkSeconds = 1200;
    rig = await setUpRig({
      image: await imageOf("crashes-over-updates.ts", "1.0.0", "esp32", { checkSeconds }),
    });
    rig.desk.device.powerOn();
    expect(await rig.desk.world.runUntil(() => reportCount() > 0, { limitMs: HOUR_MS })).equal(true);
    expect(restarts()).equal(3);
    const [report] = rig.reports.filter(({ error_code }) => error_code === "OFFER_CRASHES");
    expect(report).include({ firmware_id: 1, status: "failed", step: "held" });
    await rig.desk.world.runFor(5_000);
    const failed = (await rig.server.updates()).filter(({ errorCode }) => errorCode === "OFFER_CRASHES");
    expect(failed).lengthOf(1);

    await rig.desk.world.runFor(2 * HOUR_MS);
    rig.desk.device.powerOff();
    rig.desk.device.powerOn();
    await rig.desk.world.runFor(2 * HOUR_MS);
    expect(restarts()).equal(3);
    expect(reportCount()).equal(1);
    expect(rig.running()).equal("1.0.0 factory");
    expect(rig.checks.length, "it keeps checking").above(12);

    const other = await imageOf("base", "1.2.0");
    await rig.server.upload(other, await releaseOf(other));
    expect(await rig.desk.world.runUntil(() => reportCount() > 1, { limitMs: HOUR_MS })).equal(true);
    expect(restarts()).equal(6);

    await rig.desk.world.runFor(25 * HOUR_MS);
    expect(restarts(), "a day later").equal(9);
  });
});
