// What follows a failure: another try after a pause, or the end of the attempt.

import { expect } from "chai";
import type { UpdateErrorCode } from "../../../../firmware/core/errors.js";
import type { Event } from "../../../../firmware/core/event.js";
import { failAttempt, retryLater } from "../../../../firmware/core/update/retry.js";
import type { Step } from "../../../../firmware/core/update/state.js";
import { updateStep } from "../../../../firmware/core/update/update.js";
import { Download } from "../download.js";
import { stamped } from "../events.js";
import { inPhase, JOB, jobOf } from "../update-phases.js";

const SIZE = 7 * 4096 + 1600;
const streaming = inPhase("streaming");
const failure = (code: UpdateErrorCode) => ({ code, message: "no" });
const failed = (code: UpdateErrorCode): Step => retryLater(streaming, JOB, failure(code), 0.5);
const codeIn = ([, effects]: Step) =>
  effects.flatMap((effect) =>
    effect.type === "raise" && effect.event.type === "updateFailed" ? [effect.event.code] : [],
  )[0];

describe("a failed try", () => {
  it("is followed by pauses that double, with jitter, and by the end after five tries", () => {
    const download = new Download({
      sizeBytes: SIZE,
      listsChunks: true,
      lie: (_, honest) => ({ ...honest, status: 503 }),
    }).run();
    expect(download.retryDelaysMs).deep.equal([750, 1_500, 3_000, 6_000]);
    expect(download.asked).length(5);
    expect(download.outcome).equal("HTTP_STATUS");
    expect(download.logs.at(-1)).match(/gave up after 5 tries/);
  });

  it("never waits longer than a minute", () => {
    const job = { ...JOB, failureCount: 3 };
    const [, effects] = retryLater(streaming, job, failure("CONNECT_FAILED"), 0.999);
    const timer = effects.find((effect) => effect.type === "setTimer");
    expect(timer).property("delayMs").within(7_900, 8_000);
  });

  it("is no longer counted when a chunk has arrived", () => {
    const download = new Download({
      sizeBytes: SIZE,
      listsChunks: true,
      lie: (_, honest) => ({ ...honest, endsAfter: 4096 + 10 }),
    }).run();
    // each try brings one chunk: eight chunks, no pause but the first
    expect(download.asked).length(8);
    expect(download.retryDelaysMs).deep.equal(Array(7).fill(750));
    expect(download.outcome).equal("restarting");
  });

  it("is followed by another only if another download may help", () => {
    for (const code of ["CONNECT_FAILED", "SERVER_STALLED", "BODY_TRUNCATED", "CHUNK_MISMATCH"] as const)
      expect(failed(code)[0].phase, code).equal("waiting");
    for (const code of ["IMAGE_MISMATCH", "WRONG_CHIP", "ARM_FAILED"] as const)
      expect(failed(code)[0].phase, code).equal("idle");
  });

  it("drops what the connection announced, and lets stale answers pass", () => {
    const [state, effects] = retryLater(
      streaming,
      { ...JOB, available: 500, pending: new Uint8Array(9) },
      failure("BODY_TRUNCATED"),
      0.5,
    );
    expect(jobOf(state)).include({ available: 0, pending: undefined, failureCount: 1 });
    expect(state.attempt).above(streaming.attempt);
    expect(effects.map(({ type }) => type)).deep.equal(["log", "clearTimer", "closeRequest", "setTimer"]);
  });
});

describe("the end of an attempt", () => {
  it("leaves an offer available if another download may help, and refuses the others", () => {
    expect(failAttempt(streaming, JOB, failure("CHUNK_MISMATCH"), 0.5)[0].refused).equal(undefined);
    expect(failAttempt(streaming, JOB, failure("IMAGE_MISMATCH"), 0.5)[0].refused).deep.equal({
      firmwareId: 7,
      releaseEnd: "",
    });
  });

  it("is reported with its code, and leaves nothing of the job behind", () => {
    const [state, effects] = failAttempt(
      streaming,
      { ...JOB, verifiedBytes: 99 },
      failure("FLASH_FAILED"),
      0.5,
    );
    expect(state).include({ phase: "idle" }).and.not.property("job");
    const report = effects.flatMap((effect) =>
      effect.type === "raise" && effect.event.type === "reportMade" ? [effect.event.report] : [],
    );
    expect(report).deep.equal([
      {
        firmware_id: 7,
        status: "failed",
        step: "failed",
        bytes_downloaded: 99,
        error_code: "FLASH_FAILED",
        error_message: "no",
      },
    ]);
    expect(effects.at(-1)).include({ type: "setTimer", timer: "check" });
  });

  it("comes at once when the flash fails; while arming it is another code, and the record goes", () => {
    const bad: Event = { type: "slotFailed", attempt: 0, message: "flash" };
    for (const phase of ["resuming", "streaming", "proving"] as const) {
      const step = updateStep(inPhase(phase), stamped(bad));
      expect(codeIn(step), phase).equal("FLASH_FAILED");
      expect(step[1], phase).not.deep.include({ type: "forget", key: "install" });
    }
    const arming = updateStep(inPhase("arming"), stamped(bad));
    expect(codeIn(arming)).equal("ARM_FAILED");
    expect(arming[1]).deep.include({ type: "forget", key: "install" });
  });

  it("comes at once for a push: only its sender can try again", () => {
    const job = { ...JOB, source: { kind: "push", connection: 3, acknowledged: false } as const };
    const [state, effects] = retryLater(streaming, job, failure("BODY_TRUNCATED"), 0.5);
    expect(state).include({ phase: "idle", refused: undefined });
    expect(effects.map(({ type }) => type))
      .include("answerPush")
      .and.not.include("closeRequest");
  });
});
