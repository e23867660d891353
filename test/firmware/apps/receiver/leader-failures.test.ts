// What the receiver, as the leader of its pair, makes of the transmitter's reports.

import { expect } from "chai";
import {
  type Around,
  initialLeader,
  type LeaderState,
  LeaderTurn,
} from "../../../../firmware/apps/receiver/core/leader.js";
import { initialDevice } from "../../../../firmware/core/device-state.js";
import { begin, type Job } from "../../../../firmware/core/system/job.js";
import { initialSystem } from "../../../../firmware/core/system/orchestrator.js";
import { AT_ONCE } from "../../../../firmware/core/system/schedule.js";

const [OLD, NEW, OTHER_NEW] = ["a", "b", "c"].map((digit) => digit.repeat(64)) as [string, string, string];
const FIRMWARE_ID = 7;
const JOB = begin({
  version: "1.1.0",
  rule: "all",
  components: [
    { id: "receiver", image: NEW, step: 0 },
    { id: "transmitter", image: OTHER_NEW, step: 1 },
  ],
  rebootDelaySeconds: 5,
  healthTimeoutSeconds: 30,
  stageTimeoutSeconds: 3600,
}) as Job;

const AROUND: Around = {
  device: initialDevice,
  settings: { system: "pair", installs: true, schedule: AT_ONCE, pollSeconds: 3600 },
  uploaded: undefined,
  at: 0,
  random: 0.5,
  freeHeapBytes: 100_000,
};

/** Both have been heard; the transmitter is offered its image. */
const STAGING: LeaderState = {
  ...initialLeader,
  system: { ...initialSystem, job: JOB, reports: [{ image: OLD }, { image: OLD }], asked: ["", ""] },
  offers: [
    {
      id: "transmitter",
      image: OTHER_NEW,
      sizeBytes: 1000,
      answer: {
        firmware_id: FIRMWARE_ID,
        version: "1.1.0",
        build_number: 0,
        download_url: "/api/ota/download/7",
        release: "",
      },
    },
  ],
  reports: { receiver: { image: OLD }, transmitter: { image: OLD } },
};

/** The job's phase after the transmitter has failed. */
function phaseAfter(code: string, firmwareId = FIRMWARE_ID): string | undefined {
  const turn = new LeaderTurn(STAGING, AROUND);
  const report = { device_id: "transmitter-1", firmware_id: firmwareId, status: "failed", error_code: code };
  turn.answerOther("/api/ota/status", JSON.stringify({ ...report, error_message: "it has failed" }));
  return turn.state.system.job?.phase;
}

describe("the leader of a pair", () => {
  it("goes back when the transmitter will not have its image, or cannot keep it", () => {
    for (const code of ["WRONG_HARDWARE", "SIGNATURE_INVALID", "IMAGE_MISMATCH", "ROLLED_BACK", ""])
      expect(phaseAfter(code), code).equal("goingBack");
  });

  it("waits for the next try when the image was lost on its way", () => {
    for (const code of ["HTTP_STATUS", "SERVER_STALLED", "BODY_TRUNCATED", "CONNECT_FAILED"])
      expect(phaseAfter(code), code).equal("staging");
  });

  it("does not take a report about another firmware for one of the job", () => {
    expect(phaseAfter("WRONG_HARDWARE", FIRMWARE_ID + 1)).equal("staging");
  });
});
