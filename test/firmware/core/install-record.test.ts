import { expect } from "chai";
import type { RunningImage } from "../../../firmware/core/event.js";
import {
  type InstallRecord,
  isUntried,
  judgeInstallation,
  readRecord,
  writeRecord,
} from "../../../firmware/core/install-record.js";

const RECORD: InstallRecord = {
  firmwareId: 3,
  version: "1.1.0",
  build: 0,
  imageSha256: "new",
  slot: "ota_0",
  powerLosses: 0,
};
const running = (imageSha256: string, slotState: RunningImage["slotState"]): RunningImage => ({
  version: "1.0.0",
  build: 0,
  imageSha256,
  slot: "factory",
  slotState,
  securityVersion: 0,
});

describe("installation record", () => {
  it("tells a restart that the new image meant from an error that it threw", () => {
    const outcome = (restartReason?: string) =>
      judgeInstallation(RECORD, running("old", "factory"), "aborted", undefined, "software", restartReason);
    expect(outcome()).include({
      reason: "the new firmware threw an error or restarted during its trial run",
    });
    expect(outcome("owner")).include({ reason: "restart (owner) during the trial run" });
  });

  it("says nothing when nothing was installed", () => {
    expect(
      judgeInstallation(undefined, running("old", "factory"), "undefined", undefined, "power-on").kind,
    ).equal("none");
  });

  it("knows a new image on trial from one that is valid", () => {
    expect(
      judgeInstallation(RECORD, running("new", "pending_verify"), "valid", undefined, "software").kind,
    ).equal("onTrial");
    const passed = { ...RECORD, passed: true } as const;
    expect(judgeInstallation(passed, running("new", "valid"), "valid", undefined, "software").kind).equal(
      "validated",
    );
  });

  it("takes an image for untried that has not passed, whatever otadata says of it", () => {
    const passed = { ...RECORD, passed: true } as const;
    const torn = { ...running("old", "pending_verify"), stateTorn: true } as const;
    for (const state of ["valid", "undefined", "new", "invalid", "aborted"] as const) {
      expect(isUntried(running("new", state), RECORD), state).equal(true);
      expect(judgeInstallation(RECORD, running("new", state), "valid", undefined, "power-on").kind).equal(
        "onTrial",
      );
      expect(isUntried(running("new", state), passed), state).equal(false);
      expect(isUntried(running("old", state), RECORD), state).equal(false);
      expect(isUntried(running("new", state), undefined), state).equal(false);
    }
    expect(isUntried(running("new", "pending_verify"), RECORD)).equal(false);
    expect(isUntried(running("new", "factory"), RECORD)).equal(false);
    expect(isUntried(torn, undefined)).equal(true);
  });

  it("blames the new image for a crash, a hang and a failed self test, with the reason", () => {
    const reason = (resetReason: string, trialReason?: string) => {
      const outcome = judgeInstallation(
        RECORD,
        running("old", "factory"),
        "aborted",
        trialReason,
        resetReason,
      );
      return outcome.kind === "rolledBack" ? outcome.reason : outcome.kind;
    };
    expect(reason("software")).match(/threw an error/);
    expect(reason("task-watchdog")).match(/hung.*watchdog/);
    expect(reason("software", "Wi-Fi was not joined within 300 s")).match(/Wi-Fi/);
  });

  it("forgives one loss of power, and only one", () => {
    const first = judgeInstallation(RECORD, running("old", "factory"), "aborted", undefined, "power-on");
    expect(first).deep.equal({ kind: "rearm", record: { ...RECORD, powerLosses: 1 } });
    const second = judgeInstallation(
      { ...RECORD, powerLosses: 1 },
      running("old", "factory"),
      "aborted",
      undefined,
      "brownout",
    );
    expect(second.kind).equal("rolledBack");
  });

  it("reads back what it wrote, and counts anything else as no record", () => {
    expect(readRecord(writeRecord(RECORD))).deep.equal(RECORD);
    for (const text of [undefined, "", "{", "{}", "null", '{"firmwareId":"3"}'])
      expect(readRecord(text), text).equal(undefined);
  });
});
