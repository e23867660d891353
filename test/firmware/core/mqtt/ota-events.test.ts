// What is told of an update, from the states of a device before and after.

import { expect } from "chai";
import { type DeviceState, initialDevice } from "../../../../firmware/core/device-state.js";
import { otaMessages } from "../../../../firmware/core/mqtt/ota-events.js";

const BOOT = { identity: { deviceId: "receiver-1" }, image: { version: "1.0.0" } };
const DEVICE = {
  ...initialDevice,
  localApi: { ...initialDevice.localApi, boot: BOOT },
} as unknown as DeviceState;

const updating = (phase: string, job?: object): DeviceState =>
  ({ ...DEVICE, update: { ...DEVICE.update, phase, ...(job ? { job } : {}) } }) as unknown as DeviceState;
const JOB = { release: { version: "1.1.0", size: 100 }, lastStep: 0 };

const told = (before: DeviceState, after: DeviceState) =>
  otaMessages("home/receiver-1", before, after).map(({ topic, payload }) => {
    expect(topic).equal("home/receiver-1/ota");
    const { device, running, ...rest } = JSON.parse(payload);
    expect([device, running]).deep.equal(["receiver-1", "1.0.0"]);
    return rest;
  });

describe("messages about updates", () => {
  it("tell the course of an update", () => {
    const states = [
      DEVICE,
      updating("verifying"),
      updating("requesting", JOB),
      updating("streaming", JOB),
      updating("streaming", { ...JOB, lastStep: 5 }),
      updating("proving", { ...JOB, lastStep: 5 }),
      updating("arming", { ...JOB, lastStep: 5 }),
      updating("restarting"),
    ];
    const all = states.slice(1).flatMap((after, index) => told(states[index]!, after));
    expect(all).deep.equal([
      { event: "started", version: "1.1.0" },
      { event: "progress", version: "1.1.0", percent: 50 },
      { event: "verifying", version: "1.1.0" },
      { event: "installed", version: "1.1.0" },
    ]);
  });

  it("tell that an image is staged, once, and installed when it is committed later", () => {
    const waits = { ...DEVICE, update: { ...DEVICE.update, staged: { version: "1.1.0" } } } as DeviceState;
    const record = { version: "1.1.0" };
    const restarting = {
      ...DEVICE,
      update: { ...DEVICE.update, phase: "restarting", record },
    } as DeviceState;
    expect(told(updating("staging", JOB), waits)).deep.equal([{ event: "staged", version: "1.1.0" }]);
    const restored = { ...waits, update: { ...waits.update, phase: "restoring" } } as DeviceState;
    expect(told(DEVICE, restored)).deep.equal([]);
    expect(told(restored, waits)).deep.equal([]);
    expect(told(updating("staging", JOB), DEVICE), "it could not be stored").deep.equal([]);
    expect(told(waits, restarting)).deep.equal([{ event: "installed", version: "1.1.0" }]);
  });

  it("tell of trials and of what became of them", () => {
    const trial = (phase: string) => ({ ...DEVICE, trial: { ...DEVICE.trial, phase } }) as DeviceState;
    expect(told(DEVICE, trial("trial"))).deep.equal([{ event: "trial", version: "1.0.0" }]);
    expect(told(trial("trial"), trial("validating"))).deep.equal([]);
    expect(told(trial("validating"), trial("passed"))).deep.equal([{ event: "validated", version: "1.0.0" }]);
    expect(told(trial("trial"), trial("rolledBack"))).deep.equal([
      { event: "rolling-back", version: "1.0.0" },
    ]);
    const lastRollBack = { version: "1.1.0", code: "ROLLED_BACK", reason: "the app failed" };
    const rolledBack = { ...DEVICE, localApi: { ...DEVICE.localApi, lastRollBack } } as DeviceState;
    expect(told(DEVICE, rolledBack)).deep.equal([{ event: "rolled-back", ...lastRollBack }]);
  });

  it("tell of a failed update, but not of other errors", () => {
    const lastError = { code: "FLASH_FAILED", message: "sector 3", atSeconds: 7 };
    const failed = { ...DEVICE, localApi: { ...DEVICE.localApi, lastError } } as DeviceState;
    expect(told(updating("streaming", JOB), failed)).deep.equal([
      { event: "failed", code: "FLASH_FAILED", reason: "sector 3", version: "1.1.0" },
    ]);
    expect(told(DEVICE, failed)).deep.equal([]);
  });

  it("are none before the device knows itself, and where nothing changes", () => {
    expect(otaMessages("t", initialDevice, updating("restarting"))).length(1);
    expect(otaMessages("t", DEVICE, DEVICE)).deep.equal([]);
    expect(otaMessages("t", DEVICE, initialDevice)).deep.equal([]);
  });
});
