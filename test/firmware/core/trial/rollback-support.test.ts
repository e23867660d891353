import { expect } from "chai";
import { step } from "../../../../firmware/core/device.js";
import { initialDevice } from "../../../../firmware/core/device-state.js";
import type { Booted } from "../../../../firmware/core/event.js";
import { type InstallRecord, RECORD_KEY, writeRecord } from "../../../../firmware/core/update/record.js";
import { BOOTED, IMAGE, stamped } from "../events.js";
import { carriedOut } from "../saves.js";

const RECORD: InstallRecord = {
  from: "server",
  firmwareId: 3,
  version: "1.1.0",
  build: 0,
  imageSha256: IMAGE.imageSha256,
  slot: "ota_0",
  powerLosses: 0,
};

/** The first start of an image that was installed. */
const firstStart = (facts: Partial<Booted>, slotState: typeof IMAGE.slotState): Booted => ({
  ...BOOTED,
  image: { ...IMAGE, slot: "ota_0", slotState },
  stored: { ...BOOTED.stored, [RECORD_KEY]: writeRecord(RECORD) },
  resetReason: "software",
  ...facts,
});

function started(booted: Booted) {
  const [device, asked] = step(initialDevice, stamped(booted));
  const effects = carriedOut(asked);
  const errors = effects.filter((effect) => effect.type === "log" && effect.level === "error");
  return {
    errors: errors.map((effect) => (effect.type === "log" ? effect.message : "")),
    reported: device.report.queue.map((report) => report.step),
    types: effects.map(({ type }) => type),
    phase: device.trial.phase,
  };
}

describe("an image that the boot loader would not roll back", () => {
  it("logs that at every start when it was built to be confirmed as it starts, and reports it to the server with its trial", () => {
    const { errors, reported, phase } = started(firstStart({ confirmsItself: true }, "valid"));
    expect(errors.join()).include("CONFIG_BOOTLOADER_APP_ROLLBACK_CONFIRM_BY_APP");
    expect(reported).deep.equal(["trial without roll back"]);
    expect(phase).equal("trial");
    expect(started({ ...BOOTED, confirmsItself: true }).errors).length(1);
  });

  it("is reported when the boot loader has left its state at new", () => {
    const { errors, reported } = started(firstStart({}, "new"));
    expect(errors.join()).include("CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE");
    expect(reported).deep.equal(["trial without roll back"]);
  });

  it("does not restart for a trial that a restart cannot start", () => {
    expect(started(firstStart({ confirmsItself: true }, "valid")).types).not.include("beginTrial");
    expect(started(firstStart({}, "new")).types).not.include("beginTrial");
    expect(started(firstStart({}, "valid")).types).include("beginTrial");
  });

  it("is not reported where the boot loader has put it on trial", () => {
    const { errors, reported } = started(firstStart({}, "pending_verify"));
    expect(errors).deep.equal([]);
    expect(reported).deep.equal(["trial"]);
  });
});
