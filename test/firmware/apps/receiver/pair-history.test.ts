// What happens to one device of a pair, as entries of their history.

import { expect } from "chai";
import { ofReceiver, ofTransmitter } from "../../../../firmware/apps/receiver/core/pair-history.js";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import { BOOTED } from "../../core/events.js";

const device = (phase: string, lastRollBack?: object): DeviceState =>
  ({
    ...initialDevice,
    trial: { ...initialDevice.trial, phase },
    localApi: { ...initialDevice.localApi, boot: BOOTED, lastRollBack },
  }) as unknown as DeviceState;

const REPORT = {
  deviceId: "t-1",
  firmwareId: 7,
  status: "success",
  step: "",

  code: "",
  message: "",
};

describe("the history of one device of a pair", () => {
  it("has the receiver's image when it has passed its trial, and not again", () => {
    const entry = { version: "1.0.0", result: "finished", reason: "", time: 5, what: "receiver" };
    expect(ofReceiver(device("validating"), device("passed"), 5)).deep.equal(entry);
    expect(ofReceiver(device("passed"), device("passed"), 5)).equal(undefined);
    expect(ofReceiver(device("none"), device("trial"), 5)).equal(undefined);
  });

  it("has what the receiver went back from, once", () => {
    const rolledBack = { version: "1.1.0", code: "ROLLED_BACK", reason: "the app failed" };
    expect(ofReceiver(device("none"), device("none", rolledBack), 0)).deep.equal({
      version: "1.1.0",
      result: "failed",
      reason: "the app failed",
      time: 0,
      what: "receiver",
    });
    const after = device("none", rolledBack);
    expect(ofReceiver(after, { ...after }, 0)).equal(undefined);
  });

  it("has the results that the transmitter reports, and not its progress", () => {
    const entry = { version: "1.1.0", result: "finished", reason: "", time: 5, what: "transmitter" };
    expect(ofTransmitter(REPORT, "1.1.0", 5)).deep.equal(entry);
    const failed = { ...REPORT, status: "failed", code: "FLASH_FAILED", message: "" };
    expect(ofTransmitter(failed, "1.1.0", 5)).deep.equal({
      version: "",
      result: "failed",
      reason: "FLASH_FAILED",
      time: 5,
      what: "transmitter",
    });
    expect(ofTransmitter({ ...failed, message: "sector 3" }, "", 5)?.reason).equal("sector 3");
    expect(ofTransmitter({ ...REPORT, status: "downloading" }, "1.1.0", 5)).equal(undefined);
  });
});
