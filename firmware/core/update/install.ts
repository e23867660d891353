// The installation around the transfer: resuming with what the slot holds already, the check of the whole image, the record, the arming.
// No progress is stored: the slot is hashed chunk by chunk, and the transfer starts at the first wrong one. With pages of digests, the
// page of the next chunk is fetched first (digest-fetch.ts).

import { toHex } from "../bytes.js";
import type { Stamped } from "../event.js";
import { TRIAL_REASON_KEY } from "../trial/boot-validation.js";
import { checksChunks, chunkIndex, hashChunk, isChunkRight } from "./chunk-check.js";
import { fetchPage, lacksPage } from "./digest-fetch.js";
import { chunkCountOf, chunkLength } from "./digests.js";
import { newImageReader } from "./image.js";
import { FRESH_JOB, type Job, originOfJob } from "./job.js";
import { proofOf, prove } from "./proof.js";
import { PUSH_RESTART_DELAY_MS, pushSucceeded } from "./pushed-update.js";
import { type InstallRecord, RECORD_KEY, storeRecord, writeRecord } from "./record.js";
import { failAttempt } from "./retry.js";
import { clearSetbacks } from "./setbacks.js";
import { enter, type Installing, nextAttempt, report, type Step, type UpdateState } from "./state.js";
import { request } from "./transfer.js";

/** Time for the last report to be sent before the restart. */
const RESTART_DELAY_MS = 2_000;
/** A flash whose content keeps changing is broken. */
const MAX_RECHECKS = 3;

/** Continues at the first chunk that is not verified. What the slot holds already and is right is not fetched again. */
export function resume(state: UpdateState, job: Job): Step {
  const fresh: Job = {
    ...job,
    offset: job.verifiedBytes,
    available: 0,
    pending: undefined,
    head: FRESH_JOB.head,
    erasedTo: job.verifiedBytes,
    ahead: job.reader,
    paceEnd: 0,
  };
  // without checked chunks it is not known how much is right
  const mayGoOn = !job.wholeOnly && checksChunks(job);
  return checkNextChunk(state, mayGoOn ? fresh : fromTheStart(fresh));
}

const fromTheStart = (job: Job): Job => ({
  ...job,
  offset: 0,
  verifiedBytes: 0,
  erasedTo: 0,
  reader: newImageReader,
  ahead: newImageReader,
  isResuming: false,
});

/** The next chunk: its page of digests first, then a check of what the slot holds, then a request. */
export function checkNextChunk(state: UpdateState, job: Job): Step {
  if (lacksPage(job)) return fetchPage(state, job);
  if (!job.isResuming) return request(state, job);
  const attempt = nextAttempt(state);
  return [enter(state, { phase: "resuming", attempt, job }), [hashChunk(job, attempt)]];
}

export function resumedChunkHashed(state: Installing, event: { readonly digest: Uint8Array }): Step {
  const { job } = state;
  if (!isChunkRight(job, event.digest)) return request(state, { ...job, isResuming: false });
  const index = chunkIndex(job);
  const verifiedBytes = job.verifiedBytes + chunkLength(job.release, index);
  const next: Job = { ...job, verifiedBytes, offset: verifiedBytes, erasedTo: verifiedBytes };
  return index + 1 < chunkCountOf(job.release) ? checkNextChunk(state, next) : prove(state, next);
}

export function proved(state: Installing, event: Stamped & { readonly digest: Uint8Array }): Step {
  const { job } = state;
  const { release } = job;
  const { digest: expected, algorithm, length } = proofOf(job);
  if (toHex(event.digest) !== expected) {
    const message = `the first ${length} bytes of the slot have ${algorithm} ${toHex(event.digest)}, expected is ${expected}`;
    if (mayRecheck(job)) return recheckSlot(state, job, message);
    return failAttempt(state, job, { code: "IMAGE_MISMATCH", message }, event.random);
  }
  const attempt = nextAttempt(state);
  const record: InstallRecord = {
    ...originOfJob(job),
    version: release.version,
    build: release.build,
    imageSha256: job.signed ? release.imageSha256 : toHex(job.tail),
    slot: state.boot?.target?.label ?? "",
    powerLosses: 0,
  };
  return [
    enter(state, { phase: "arming", attempt, record, job }),
    [
      ...report(state, job, { status: "installing", step: "verifying", bytes_downloaded: release.size }),
      // without its record nothing could be told of what becomes of it
      {
        type: "save",
        purpose: "record",
        values: { [TRIAL_REASON_KEY]: undefined, [RECORD_KEY]: writeRecord(record) },
        next: [{ type: "armSlot", attempt, imageSha256: record.imageSha256 }],
      },
    ],
  ];
}

/**
 * A power cut while flash is programmed can leave marginal bits: a chunk reads right when it is checked, and wrong in the whole image. So
 * the chunks are checked again; only if they are right every time is the release to blame.
 */
const mayRecheck = ({ signed, source, mismatchCount }: Job) =>
  signed && source.kind === "server" && mismatchCount < MAX_RECHECKS;

function recheckSlot(state: UpdateState, job: Job, message: string): Step {
  const [next, effects] = resume(state, {
    ...job,
    mismatchCount: job.mismatchCount + 1,
    verifiedBytes: 0,
    reader: newImageReader,
    isResuming: true,
  });
  return [
    next,
    [{ type: "log", level: "warn", message: `${message}; checking each chunk again` }, ...effects],
  ];
}

export function armed(state: Installing): Step {
  const { job } = state;
  const { source } = job;
  const [setbacks, clearing] = clearSetbacks(state.setbacks);
  return [
    enter(state, { phase: "restarting", setbacks }),
    [
      ...clearing,
      {
        type: "log",
        level: "info",
        message: `${job.release.version} is in ${state.boot?.target?.label ?? "its slot"}, restarting`,
      },
      ...(state.record ? [storeRecord({ ...state.record, armed: true })] : []),
      ...report(state, job, { status: "installing", step: "armed", bytes_downloaded: job.release.size }),
      ...(source.kind === "push" ? [pushSucceeded(state, source, job.release)] : []),
      {
        type: "setTimer",
        timer: "restart",
        delayMs: source.kind === "push" ? PUSH_RESTART_DELAY_MS : RESTART_DELAY_MS,
      },
    ],
  ];
}
