// What follows a failure: another try after a pause, or the end of the attempt. Either way the running firmware stays and the slot is not
// armed.

import { backoffMs, spreadMs } from "../backoff.js";
import { toldAt } from "../clock.js";
import { type Failure, isTransient, type UpdateErrorCode } from "../errors.js";
import type { Stamped } from "../event.js";
import type { Headers } from "../http/answer-head.js";
import type { PartVerdict } from "../http/part.js";
import { retryAfterMs } from "../http/retry-after.js";
import { checksChunks } from "./chunk-check.js";
import type { Job } from "./job.js";
import { pushFailed } from "./pushed-update.js";
import { RECORD_KEY } from "./record.js";
import { SECTOR_BYTES } from "./release.js";
import { HELD_BACK, isAtLimit, noteSetback } from "./setbacks.js";
import {
  enter,
  errorFields,
  type Installing,
  nextAttempt,
  nextCheck,
  report,
  STALL_MS,
  type Step,
  type UpdateState,
} from "./state.js";

export const bodyTruncated = (job: Job): Failure => ({
  code: "BODY_TRUNCATED",
  message: `connection ended at byte ${job.offset} of ${job.release.size}`,
});

const RETRY = Object.freeze({ firstMs: 1_000, maximumMs: 60_000 });
/** Number of tries without a new chunk before an attempt is given up. */
const MAX_TRIES = 5;
/** After this number of failed requests for parts in a row the whole image is requested: whatever stands in between may break parts only. */
const MAX_PART_TRIES = 3;
/** How many times in a row a receive may time out before a push ends. */
export const RECEIVE_RETRIES = 3;
/** The same of a push by the mesh: a node asks for a part ten times, and then says itself that nothing comes. */
const MESH_RECEIVE_RETRIES = 10;

export function handleSlotFailure(state: Installing, event: Stamped): Step {
  if (event.type === "saveFailed" && event.purpose === "record") {
    const message = `the record of the installation cannot be stored: ${event.message}`;
    return failAttempt(state, state.job, { code: "FLASH_FAILED", message }, event.random);
  }
  if (event.type !== "slotFailed") return [state, []];
  const code: UpdateErrorCode = state.phase === "arming" ? "ARM_FAILED" : "FLASH_FAILED";
  return failAttempt(state, state.job, { code, message: event.message }, event.random);
}

/** Continues after a pause from the last verified chunk; gives up after MAX_TRIES without a new one. */
export function retryLater(state: UpdateState, job: Job, failure: Failure, random: number, waitMs = 0): Step {
  if (job.source.kind === "push") return failAttempt(state, job, failure, random);
  const failureCount = job.failureCount + 1;
  if (!isTransient(failure.code) || failureCount >= MAX_TRIES) {
    return failAttempt(
      state,
      job,
      { ...failure, message: `${failure.message}; gave up after ${failureCount} tries` },
      random,
    );
  }
  const attempt = nextAttempt(state);
  // without a connection it is not the parts, nor is it where they come by another way
  const isOfPart = failure.code !== "CONNECT_FAILED" && !job.isStored;
  const wholeOnly = job.wholeOnly || (failureCount >= MAX_PART_TRIES && isOfPart);
  const next: Job = {
    ...job,
    failureCount,
    wholeOnly,
    isStored: false,
    writtenTo: writtenEnd(job),
    pending: undefined,
    available: 0,
  };
  return [
    enter(state, { phase: "waiting", attempt, job: next }),
    [
      { type: "log", level: "warn", message: `${failure.message} [${failure.code}], trying again` },
      { type: "clearTimer", timer: "transfer" },
      { type: "closeRequest", attempt: state.attempt },
      { type: "setTimer", timer: "retry", delayMs: Math.max(waitMs, backoffMs(RETRY, failureCount, random)) },
    ],
  ];
}

/** What was handed to the flash has been written, whether or not the answer to it was awaited. */
const writtenEnd = ({ writtenTo, offset, pending }: Job): number =>
  Math.max(writtenTo, Math.ceil((offset + (pending?.length ?? 0)) / SECTOR_BYTES) * SECTOR_BYTES);

/**
 * The answer is not what was requested. The whole file instead of a part would be written at the wrong offset: this answer is dropped. If
 * the server asks for more patience than a try takes, the attempt ends, and the next one waits for as long.
 */
export function rejectPart(
  state: UpdateState,
  job: Job,
  { failure, isRangeRefused }: Extract<PartVerdict, { readonly isTaken: false }>,
  { headers, at, random }: Stamped & { readonly headers: Headers },
): Step {
  const waitMs = retryAfterMs(headers, toldAt(state.clock, at));
  const held: UpdateState =
    waitMs === 0 ? state : { ...state, downloadsFromMs: at + spreadMs(waitMs, random) };
  if (waitMs > RETRY.maximumMs) {
    const message = `${failure.message}, and asks to wait ${waitMs / 1000} s`;
    return failAttempt(held, job, { ...failure, message }, random);
  }
  return retryLater(held, { ...job, wholeOnly: job.wholeOnly || isRangeRefused }, failure, random, waitMs);
}

/** The sender of a push has sent nothing for STALL_MS. Its connection may be slow: the push ends only after RECEIVE_RETRIES more. */
export function pushTimedOut(state: Installing, job: Job, random: number): Step {
  const seconds = STALL_MS / 1000;
  const where = `at byte ${job.offset} of ${job.release.size}`;
  const isSlow = job.source.kind === "push" && job.source.isSlow;
  const retries = isSlow ? MESH_RECEIVE_RETRIES : RECEIVE_RETRIES;
  if (job.failureCount >= retries) {
    const message = `no byte for ${seconds} s, ${retries + 1} times in a row, ${where}`;
    return failAttempt(state, job, { code: "SERVER_STALLED", message }, random);
  }
  const failureCount = job.failureCount + 1;
  const message = `no byte for ${seconds} s ${where}, still waiting (${failureCount} of ${retries})`;
  return [
    { ...state, job: { ...job, failureCount } },
    [
      { type: "log", level: "warn", message },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

/** Whether the release is to blame, for good. Arming depends on the flash; bytes that no digest proves may be another file's. */
const isOfRelease = (job: Job, code: UpdateErrorCode): boolean =>
  !isTransient(code) && code !== "ARM_FAILED" && checksChunks(job);

/** Ends the attempt and reports why: the running firmware stays, the slot is not armed. */
export function failAttempt(state: UpdateState, job: Job, found: Failure, random: number): Step {
  const { source } = job;
  const isLasting = source.kind === "server" && isOfRelease(job, found.code);
  const [setbacks, counting] = isLasting
    ? ([state.setbacks, []] as const)
    : noteSetback(state.setbacks, job, found.code);
  const isHeldBack = setbacks !== state.setbacks && isAtLimit(setbacks);
  const failure = isHeldBack ? { ...found, message: `${found.message}; ${HELD_BACK}` } : found;
  const idle = enter(state, {
    phase: "idle",
    record: undefined,
    attempt: nextAttempt(state),
    refused: isLasting ? { firmwareId: source.firmwareId, releaseEnd: source.releaseEnd } : state.refused,
    setbacks,
  });
  return [
    idle,
    [
      {
        type: "log",
        level: "error",
        message: `update to ${job.release.version || "a pushed image"} failed: ${failure.message} [${failure.code}]`,
      },
      ...counting,
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
        ...errorFields(failure.code, failure.message),
      }),
      { type: "raise", event: { type: "updateFailed", ...failure } },
      nextCheck(idle, random),
    ],
  ];
}
