// Both devices of a pair whose ESP-NOW refuses to start, as it does where its driver gets no memory: they say so once, do the rest of their work,
// and find each other when it starts after all.

import { expect } from "chai";
import type { VirtualDevice } from "../../../host-sim/device/device.js";
import { MINUTE_MS, type PairApp, type PairRig, setUpPair } from "./pair-rig.js";

describe("a pair whose radios do not start", () => {
  let pair: PairRig;
  afterEach(() => pair.close());

  /** From this boot on, until it is told otherwise; the radio is made anew with each boot. */
  function breakRadio(device: VirtualDevice, isBroken: boolean): void {
    pair.desk.network.deviceNamed(device.name)!.radio.espNow.isBroken = isBroken;
  }
  const both = () => [pair.receiver, pair.transmitter];
  const failures = (app: PairApp) => pair.lines[app].filter((line) => line.includes("the radio has failed"));

  it("tells of it once, serves its pages, and is whole as soon as they start", async () => {
    pair = await setUpPair();
    pair.powerOn();
    const { world } = pair.desk;
    expect(
      await pair.until(() => both().every(({ bootCount, running }) => bootCount === 1 && running)),
    ).equal(true);
    for (const device of both()) breakRadio(device, true);
    await world.runFor(5 * MINUTE_MS);
    for (const app of ["receiver", "transmitter"] as const)
      expect(failures(app), app).deep.equal([
        "error: the radio has failed: ESP-NOW on channel 1: ESP-IDF's error 0x306a",
      ]);
    expect(both().map(({ bootCount }) => bootCount)).deep.equal([1, 1]);
    expect(await pair.get("/api/version")).include({ firmware_version: "1.0.0", transmitter_version: null });

    for (const device of both()) breakRadio(device, false);
    const isWhole = () => pair.lines.transmitter.some((line) => /gateway \S+ is on channel/.test(line));
    expect(await pair.until(isWhole, 2 * MINUTE_MS), pair.lines.transmitter.join("\n")).equal(true);
    await world.runFor(MINUTE_MS);
    expect(await pair.get("/api/version")).include({
      transmitter_version: "1.0.0",
      transmitter_compatible: true,
    });
    for (const app of ["receiver", "transmitter"] as const) expect(failures(app), app).length(1);
  });
});
