import { expect } from "chai";
import type { RunningImage } from "../../../../firmware/core/event.js";
import {
  type InstallRecord,
  isOnTrial,
  isRecorded,
  isUntried,
  readRecord,
  storeRecord,
  writeRecord,
} from "../../../../firmware/core/update/record.js";
import type { SlotState } from "../../../../firmware/core/wire.js";

const RECORD: InstallRecord = {
  from: "server",
  firmwareId: 3,
  version: "1.1.0",
  build: 0,
  imageSha256: "new",
  slot: "ota_0",
  powerLosses: 0,
};
const ARMED: InstallRecord = { ...RECORD, armed: true };

const running = (imageSha256: string, slotState: SlotState): RunningImage => ({
  version: "1.0.0",
  build: 0,
  imageSha256,
  slot: imageSha256 === "new" ? "ota_0" : "factory",
  slotState,
  securityVersion: 0,
});

describe("installation record", () => {
  it("is of an image in one slot: neither another image nor the same one elsewhere", () => {
    expect(isRecorded(running("new", "valid"), RECORD)).equal(true);
    expect(isRecorded({ ...running("new", "valid"), slot: "ota_1" }, RECORD)).equal(false);
    expect(isRecorded({ ...running("old", "valid"), slot: "ota_0" }, RECORD)).equal(false);
  });

  it("shows that an image is untried that has not passed, whatever otadata says of it", () => {
    const passed = { ...RECORD, passed: true } as const;
    const torn = { ...running("old", "pending_verify"), stateTorn: true } as const;
    for (const state of ["valid", "undefined", "new", "invalid", "aborted"] as const) {
      expect(isUntried(running("new", state), RECORD), state).equal(true);
      expect(isUntried(running("new", state), passed), state).equal(false);
      expect(isUntried(running("old", state), RECORD), state).equal(false);
      expect(isUntried(running("new", state), undefined), state).equal(false);
    }
    expect(isUntried(running("new", "pending_verify"), RECORD)).equal(false);
    expect(isUntried(running("new", "factory"), RECORD)).equal(false);
    expect(isUntried(torn, undefined)).equal(true);
  });

  it("is not needed to see that an image is on trial, but shows it where otadata does not", () => {
    expect(isOnTrial(running("new", "pending_verify"), undefined)).equal(true);
    expect(isOnTrial(running("new", "valid"), RECORD)).equal(true);
    expect(isOnTrial(running("new", "valid"), { ...RECORD, passed: true })).equal(false);
    expect(isOnTrial(running("old", "factory"), RECORD)).equal(false);
  });

  it("is stored as one string under its key", () => {
    expect(storeRecord(RECORD)).deep.equal({ type: "store", key: "install", value: writeRecord(RECORD) });
  });

  // The kind: a number that the outside may say stands for something else here, such as firmware id 0 for a push.
  describe("of where the image came from", () => {
    const text = (changes: object) => JSON.stringify({ ...RECORD, from: undefined, ...changes });

    it("says so by itself, whatever the number is", () => {
      expect(readRecord(text({ from: "push", firmwareId: 9 }))).include({ from: "push", firmwareId: 0 });
      expect(readRecord(text({ from: "server", firmwareId: 9 }))).include({ from: "server", firmwareId: 9 });
    });

    it("is read as older firmware has written it, and written so that older firmware reads it", () => {
      expect(readRecord(text({ firmwareId: 0 }))).include({ from: "push" });
      expect(readRecord(text({ firmwareId: 3 }))).deep.equal(RECORD);
      const pushed = JSON.parse(writeRecord({ ...RECORD, from: "push", firmwareId: 0 }));
      expect(pushed, "the number is what older firmware looks at").include({ firmwareId: 0 });
      expect(readRecord(text({ layout: 9, from: "server", signedTime: {} })), "of newer").deep.equal(RECORD);
    });

    it("counts as none with a number that no server gives", () => {
      for (const firmwareId of [-1, 1.5, 2 ** 53, null, "3", undefined])
        for (const from of [undefined, "server", "elsewhere"])
          expect(readRecord(text({ from, firmwareId })), `${from} ${firmwareId}`).equal(undefined);
      expect(readRecord(text({ from: "server", firmwareId: 0 }))).equal(undefined);
      for (const field of ["firmwareId", "build", "powerLosses"])
        expect(readRecord(`${text({}).slice(0, -1)},"${field}":1e999}`), field).equal(undefined);
      expect(readRecord(`${text({}).slice(0, -1)},"rearmings":1e999}`)).deep.equal(RECORD);
    });
  });

  it("reads back what it wrote, and counts anything else as no record", () => {
    const failure = { code: "ARM_FAILED", reason: "it was never started" } as const;
    for (const record of [RECORD, ARMED, { ...ARMED, passed: true as const, rearmings: 2, failure }])
      expect(readRecord(writeRecord(record))).deep.equal(record);
    for (const text of [undefined, "", "{", "{}", "null", '{"firmwareId":"3"}'])
      expect(readRecord(text), text).equal(undefined);
    const odd = { ...RECORD, armed: 1, passed: "yes", rearmings: "2", failure: { code: "X", reason: 1 } };
    expect(readRecord(JSON.stringify(odd))).deep.equal(RECORD);
  });
});
