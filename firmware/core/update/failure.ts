// What a failure leads to: another try after a pause, or the end of the attempt. Either way the running firmware stays and the
// slot is not armed.

import { backoffMs } from "../backoff.js";
import { type Failure, isTransient, type UpdateErrorCode } from "../errors.js";
import type { Stamped } from "../event.js";
import { pushFailed } from "./pushed-update.js";
import { RECORD_KEY } from "./record.js";
import {
  enter,
  type Installing,
  type Job,
  nextAttempt,
  nextCheck,
  report,
  STALL_MS,
  type Step,
  told,
  type UpdateState,
} from "./state.js";

export const truncated = (job: Job): Failure => ({
  code: "BODY_TRUNCATED",
  message: `connection ended at byte ${job.offset} of ${job.release.size}`,
});

const RETRY = Object.freeze({ firstMs: 1_000, maximumMs: 60_000 });
/** Tries without a single new chunk before an attempt is given up. */
const MAX_TRIES = 5;
/** A receive may time out so often in a row without ending a push. */
export const RECEIVE_RETRIES = 3;

export function slotTrouble(state: Installing, event: Stamped): Step {
  if (event.type !== "slotFailed") return [state, []];
  const code: UpdateErrorCode = state.phase === "arming" ? "ARM_FAILED" : "FLASH_FAILED";
  return endAttempt(state, state.job, { code, message: event.message }, event.random);
}

/** Goes on after a pause from the last verified chunk; gives up after 5 tries without a new one. */
export function retryLater(state: UpdateState, job: Job, failure: Failure, random: number): Step {
  if (job.source.kind === "push") return endAttempt(state, job, failure, random);
  const failureCount = job.failureCount + 1;
  if (!isTransient(failure.code) || failureCount >= MAX_TRIES) {
    return endAttempt(
      state,
      job,
      { ...failure, message: `${failure.message}; gave up after ${failureCount} tries` },
      random,
    );
  }
  const attempt = nextAttempt(state);
  const next: Job = { ...job, failureCount, pending: undefined, available: 0 };
  return [
    enter(state, { phase: "waiting", attempt, job: next }),
    [
      { type: "log", level: "warn", message: `${failure.message} [${failure.code}], trying again` },
      { type: "clearTimer", timer: "transfer" },
      { type: "closeRequest", attempt: state.attempt },
      { type: "setTimer", timer: "retry", delayMs: backoffMs(RETRY, failureCount, random) },
    ],
  ];
}

/**
 * An answer that is not the part that was asked for. The whole file in its place would land at the wrong place: nothing but this answer
 * is lost, and the next attempt asks for all of it.
 */
export function partRefused(
  state: UpdateState,
  job: Job,
  failure: Failure,
  { status, random }: { readonly status: number; readonly random: number },
): Step {
  return failure.code === "RANGE_IGNORED" && status === 200
    ? endAttempt({ ...state, rangeIgnored: true }, job, failure, random)
    : retryLater(state, job, failure, random);
}

/**
 * The sender of a push has sent nothing for the time of a receive. Its connection may be slow, so the device goes on waiting three
 * times before the push is over.
 */
export function pushTimedOut(state: Installing, job: Job, random: number): Step {
  const seconds = STALL_MS / 1000;
  const where = `at byte ${job.offset} of ${job.release.size}`;
  if (job.failureCount >= RECEIVE_RETRIES) {
    const message = `no byte for ${seconds} s, ${RECEIVE_RETRIES + 1} times in a row, ${where}`;
    return endAttempt(state, job, { code: "SERVER_STALLED", message }, random);
  }
  const failureCount = job.failureCount + 1;
  const message = `no byte for ${seconds} s ${where}, waiting on (${failureCount} of ${RECEIVE_RETRIES})`;
  return [
    { ...state, job: { ...job, failureCount } },
    [
      { type: "log", level: "warn", message },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

/** Ends the attempt: the running firmware stays, the slot stays unarmed, the server is told why. */
export function endAttempt(state: UpdateState, job: Job, failure: Failure, random: number): Step {
  const { source } = job;
  const refused =
    source.kind === "push" || isTransient(failure.code)
      ? state.refused
      : { firmwareId: source.firmwareId, releaseEnd: source.releaseEnd };
  const idle = enter(state, {
    phase: "idle",
    record: undefined,
    attempt: nextAttempt(state),
    refused,
  });
  return [
    idle,
    [
      {
        type: "log",
        level: "error",
        message: `update to ${job.release.version || "what is pushed"} failed: ${failure.message} [${failure.code}]`,
      },
      { type: "clearTimer", timer: "transfer" },
      { type: "clearTimer", timer: "retry" },
      ...(source.kind === "push"
        ? [pushFailed(source, failure)]
        : [{ type: "closeRequest", attempt: state.attempt } as const]),
      ...(state.phase === "arming" ? [{ type: "forget", key: RECORD_KEY } as const] : []),
      ...report(idle, job, {
        status: "failed",
        step: "failed",
        bytes_downloaded: job.verifiedBytes,
        ...told(failure.code, failure.message),
      }),
      { type: "raise", event: { type: "updateFailed", ...failure } },
      nextCheck(idle, random),
    ],
  ];
}
