// The boots after an installation: what they do with its outcome, and until when they report it.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Booted, Event, Raise } from "../../../../firmware/core/event.js";
import { type InstallRecord, writeRecord } from "../../../../firmware/core/update/record.js";
import { initialUpdate, type UpdateState } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import type { Report } from "../../../../firmware/core/wire.js";
import { BOOTED, IMAGE, stamped } from "../events.js";
import { carriedOut } from "../saves.js";

const RECORD: InstallRecord = Object.freeze({
  from: "server",
  firmwareId: 7,
  version: "1.1.0",
  build: 0,
  imageSha256: "c".repeat(64),
  slot: "ota_0",
  powerLosses: 0,
});
const ARMED: InstallRecord = { ...RECORD, armed: true };
const NEW = { ...IMAGE, imageSha256: RECORD.imageSha256, slot: "ota_0" };
/** The new image runs. */
const ON_TRIAL = { image: { ...NEW, slotState: "pending_verify" as const }, resetReason: "software" };
/** The old image is back after the new one has crashed. */
const CRASHED = {
  resetReason: "panic",
  bootSlot: "factory",
  target: { label: "ota_0", sizeBytes: 0x200000, state: "aborted" as const },
};

class Device {
  state: UpdateState = initialUpdate;
  readonly stored: Record<string, string> = { layout: "1" };
  asked: readonly (Effect | Raise)[] = [];

  constructor(record?: InstallRecord) {
    if (record) this.stored.install = writeRecord(record);
  }
  boot(facts: Partial<Booted>): this {
    return this.on({ ...BOOTED, ...facts, stored: { ...this.stored } });
  }
  on(event: Event): this {
    const [state, asked] = updateStep(this.state, stamped(event));
    this.state = state;
    this.asked = carriedOut(asked);
    for (const effect of this.asked) {
      if (effect.type === "store") this.stored[effect.key] = effect.value;
      if (effect.type === "forget") delete this.stored[effect.key];
    }
    return this;
  }
  armed(): this {
    return this.on({ type: "slotArmed", attempt: this.state.attempt });
  }
  get record(): InstallRecord | undefined {
    return this.stored.install === undefined ? undefined : JSON.parse(this.stored.install);
  }
  get reports(): Report[] {
    return this.asked.flatMap((effect) =>
      effect.type === "raise" && effect.event.type === "reportMade" ? [effect.event.report] : [],
    );
  }
  get types(): string[] {
    return this.asked.map(({ type }) => type);
  }
}

describe("a boot after an installation", () => {
  it("counts boots, and reports nothing when nothing was installed", () => {
    const device = new Device().boot({}).boot({});
    expect(device.stored.boots).equal("2");
    expect(device.reports).deep.equal([]);
    expect(device.state).include({ phase: "idle", bootCount: 2, record: undefined, onTrial: false });
  });

  it("begins to count again after a count that no server takes", () => {
    for (const boots of ["", "x", "-1", "1e999", "Infinity", "1.5", "999999999", "9007199254740991"]) {
      const device = new Device();
      device.stored.boots = boots;
      expect(device.boot({}).state.bootCount, boots).equal(1);
      expect(device.stored.boots, boots).equal("1");
    }
  });

  it("on trial notes that its slot was armed before the image can crash, and reports the trial", () => {
    const device = new Device(RECORD).boot(ON_TRIAL);
    expect(device.record).deep.equal(ARMED);
    expect(device.reports).deep.equal([
      {
        firmware_id: 7,
        status: "installing",
        step: "trial",
        image_sha256: RECORD.imageSha256,
        slot_state: "pending_verify",
      },
    ]);
    expect(device.state.onTrial).equal(true);
    const again = new Device(ARMED).boot(ON_TRIAL);
    expect(again.asked, "nothing to write").not.deep.include({
      type: "store",
      key: "install",
      value: writeRecord(ARMED),
    });
  });

  it("stores the place of the release among those of its type when the trial has passed, before the record says so", () => {
    const installed = { sequence: 200, fastForward: 100 };
    const device = new Device({ ...ARMED, installed }).boot(ON_TRIAL);
    expect(device.stored["trust.sequence"], "it may still be rolled back").equal(undefined);
    device.on({ type: "trialPassed" });
    expect(device.stored["trust.sequence"]).equal("200 100 base");
    const keys = device.asked.flatMap((effect) => (effect.type === "store" ? [effect.key] : []));
    expect(keys.indexOf("trust.sequence")).below(keys.indexOf("install"));
    expect(device.boot({ image: { ...NEW, slotState: "valid" } }).state.installed).deep.equal(installed);
    const another = { ...BOOTED.identity, type: "led" };
    expect(device.boot({ identity: another }).state.installed, "of another type").include({ sequence: 0 });
  });

  it("reports success when the trial has passed, stores that, and forgets the record when it was taken", () => {
    const device = new Device(ARMED).boot(ON_TRIAL).on({ type: "trialPassed" });
    expect(device.record).deep.equal({ ...ARMED, passed: true });
    const [success] = device.reports;
    expect(success).include({ status: "success", step: "validated", slot_state: "valid" });
    expect(device.state.onTrial).equal(false);
    expect(device.types.at(-1), "and checks again").equal("setTimer");
    for (const other of [
      { ...success!, firmware_id: 8 },
      { ...success!, status: "installing" as const },
    ])
      expect(device.on({ type: "reportTaken", report: other }).record).not.equal(undefined);
    device.on({ type: "reportTaken", report: success! });
    expect(device.record).equal(undefined);
    expect(device.state.record).equal(undefined);
  });

  it("reports success again at each boot until it was taken", () => {
    const device = new Device({ ...ARMED, passed: true });
    for (let boot = 0; boot < 2; boot++)
      expect(device.boot({ image: { ...NEW, slotState: "valid" } }).reports[0]).include({
        status: "success",
      });
  });

  it("reports a roll back with its reason at each boot until it was taken, whatever caused that boot", () => {
    const device = new Device(ARMED).boot(CRASHED);
    const failure = {
      firmware_id: 7,
      status: "failed",
      step: "rolled back",
      error_code: "ROLLED_BACK",
      error_message: "the new firmware crashed during its trial run",
    };
    expect(device.reports[0]).include(failure);
    expect(device.state.blockedImage).deep.equal({ imageSha256: RECORD.imageSha256, untilMs: 600_000 });
    device.boot({ ...CRASHED, resetReason: "power-on" });
    expect(device.reports[0]).include(failure);
    device.on({ type: "reportTaken", report: device.reports[0]! });
    expect(device.record).equal(undefined);
    expect(device.boot(CRASHED).reports).deep.equal([]);
  });

  it("arms the slot again when power ended the trial, and restarts when that is stored", () => {
    const device = new Device(ARMED).boot({ ...CRASHED, resetReason: "power-on" });
    expect(device.state.phase).equal("rearming");
    expect(device.record, "not armed yet").deep.equal({ ...RECORD, powerLosses: 1 });
    expect(device.types.slice(-2)).deep.equal(["store", "armSlot"]);
    expect(device.on({ type: "timerFired", timer: "check" }).asked, "nothing else").deep.equal([]);
    device.armed();
    expect(device.types).deep.equal(["store", "restart"]);
    expect(device.record).deep.equal({ ...ARMED, powerLosses: 1 });
    expect(device.state.phase).equal("restarting");
  });

  it("gives up a slot that cannot be armed again, and goes on checking", () => {
    const bad = (device: Device) =>
      device.on({ type: "slotFailed", attempt: device.state.attempt, message: "no image" });
    const interrupted = bad(new Device(ARMED).boot({ ...CRASHED, resetReason: "power-on" }));
    expect(interrupted.reports[0]).include({ error_code: "ROLLED_BACK" });
    expect(interrupted.state.phase).equal("idle");
    expect(interrupted.types.at(-1)).equal("setTimer");
    const neverRan = bad(new Device(RECORD).boot({ ...CRASHED, resetReason: "power-on" }));
    expect(neverRan.reports[0]).include({ error_code: "ARM_FAILED", step: "failed" });
    expect(neverRan.record?.failure).property("code").equal("ARM_FAILED");
  });

  it("does not arm a slot again if that cannot be counted: it would do so at every boot", () => {
    const device = new Device(RECORD).boot({ ...CRASHED, resetReason: "power-on" });
    device.on({ type: "saveFailed", purpose: "rearm", message: "the settings partition is full" });
    expect(device.state.phase).equal("idle");
    expect(device.reports[0]).include({ error_code: "ARM_FAILED" });
    expect(device.reports[0]!.error_message).include("the settings partition is full");
    expect(device.types).not.include("armSlot");
  });

  it("puts an untried image on trial again, and counts that", () => {
    const untried = { image: { ...NEW, slotState: "valid" as const }, resetReason: "power-on" };
    const device = new Device(ARMED).boot(untried);
    expect(device.state.record).deep.equal({ ...ARMED, rearmings: 1 });
    expect(device.types, "boot-validation.ts stores it").not.include("forget");
    expect(device.state.onTrial).equal(true);
  });

  // The kind: a fact that outlives the moment in which it was true, or is lost before it was of use.
  describe("whose result was told", () => {
    const FAILED = { ...ARMED, failure: { code: "ROLLED_BACK", reason: "it crashed" } } as const;
    const told: Report = {
      firmware_id: 7,
      status: "failed",
      error_code: "ROLLED_BACK",
      error_message: "it crashed",
    };
    const recordAfter = (record: InstallRecord, facts: Partial<Booted>, report: Report) =>
      new Device(record).boot(facts).on({ type: "reportTaken", report }).record;

    it("forgets the record, and no report of an earlier attempt with the same firmware does", () => {
      expect(recordAfter(FAILED, CRASHED, told)).equal(undefined);
      for (const other of [
        { ...told, error_code: "FLASH_FAILED" },
        { ...told, error_code: "CONNECT_FAILED", error_message: "no connection" },
        { ...told, error_message: "it hung" },
        { ...told, status: "success" as const },
        { ...told, status: "installing" as const },
        { ...told, firmware_id: 8 },
      ])
        expect(recordAfter(FAILED, CRASHED, other), JSON.stringify(other)).deep.equal(FAILED);
      for (const report of [
        told,
        { ...told, error_code: "FLASH_FAILED" },
        { ...told, status: "success" as const },
      ])
        expect(recordAfter(ARMED, ON_TRIAL, report), "before its trial has passed").deep.equal(ARMED);
      const passed = { ...ARMED, passed: true } as const;
      expect(recordAfter(passed, { image: { ...NEW, slotState: "valid" } }, told), "a failure").deep.equal(
        passed,
      );
    });

    it("with the longest reason that is told", () => {
      const failure = { code: "ROLLED_BACK", reason: "x".repeat(2000) } as const;
      const device = new Device({ ...ARMED, failure }).boot(CRASHED);
      device.on({ type: "reportTaken", report: device.reports[0]! });
      expect(device.record).equal(undefined);
    });

    it("keeps the failure for the device's page, told at each boot, until a good update came", () => {
      const rolledBack = (device: Device) =>
        device.asked.flatMap((effect) =>
          effect.type === "raise" && effect.event.type === "installationFailed" ? [effect.event] : [],
        );
      for (const from of ["server", "push"] as const) {
        const device = new Device({ ...ARMED, from, firmwareId: from === "push" ? 0 : 7 });
        device.stored["trial.reason"] = "the network was not joined within 300 s";
        for (const resetReason of ["software", "power-on", "panic"])
          expect(rolledBack(device.boot({ ...CRASHED, resetReason })), from).deep.equal([
            {
              type: "installationFailed",
              version: "1.1.0",
              code: "ROLLED_BACK",
              reason: "the network was not joined within 300 s",
            },
          ]);
        const levels = device.asked.flatMap((effect) => (effect.type === "log" ? [effect.level] : []));
        expect(levels, "known since an earlier boot").deep.equal(["warn"]);
      }
      const again = new Device({ ...FAILED, from: "push", firmwareId: 0 }).boot(ON_TRIAL);
      expect(rolledBack(again)).deep.equal([]);
      expect(again.on({ type: "trialPassed" }).record, "a good update").equal(undefined);
      const passed = new Device(FAILED).boot(ON_TRIAL).on({ type: "trialPassed" });
      expect(passed.record).deep.equal({ ...ARMED, passed: true });
    });
  });

  it("reports nothing of a pushed image, and forgets its record when it has passed", () => {
    const pushed = { ...ARMED, from: "push", firmwareId: 0 } as const;
    const passed = new Device(pushed).boot(ON_TRIAL);
    expect(passed.reports).deep.equal([]);
    expect(passed.on({ type: "trialPassed" }).reports).deep.equal([]);
    expect(passed.record).equal(undefined);
    const failed = new Device(pushed).boot(CRASHED);
    expect(failed.reports).deep.equal([]);
    expect(failed.record).deep.equal({
      ...pushed,
      failure: { code: "ROLLED_BACK", reason: "the new firmware crashed during its trial run" },
    });
    expect(failed.state.blockedImage).property("imageSha256").equal(RECORD.imageSha256);
  });

  it("keeps an image blocked for good that its owner rolled back", () => {
    const device = new Device();
    device.stored.held = RECORD.imageSha256;
    expect(device.boot({}).state.blockedImage).deep.equal({
      imageSha256: RECORD.imageSha256,
      untilMs: Number.POSITIVE_INFINITY,
    });
  });
});
