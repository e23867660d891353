// The installation around the transfer: resuming with what the slot holds already, the check of the whole image, the record, the arming.
// No progress is stored: the slot is hashed chunk by chunk, and the transfer starts at the first wrong one. With pages of digests, the
// page of the next chunk is fetched first (digest-fetch.ts).

import { toHex } from "../bytes.js";
import type { Stamped } from "../event.js";
import { recordAndArm, restartInto } from "./arm.js";
import { checksChunks, chunkIndex, hashChunk, isChunkRight } from "./chunk-check.js";
import { fetchPage, lacksPage } from "./digest-fetch.js";
import { chunkCountOf, chunkLength } from "./digests.js";
import { newImageReader } from "./image.js";
import { FRESH_JOB, type Job } from "./job.js";
import { proofOf, prove } from "./proof.js";
import { PUSH_RESTART_DELAY_MS, pushSucceeded } from "./pushed-update.js";
import type { InstallRecord } from "./record.js";
import { failAttempt, retryLater } from "./retry.js";
import { provedImage, stage } from "./staging.js";
import { enter, type Installing, nextAttempt, report, type Step, type UpdateState } from "./state.js";
import { gotOn, mismatchOfChunk, request } from "./transfer.js";

/** A flash whose content keeps changing is broken. */
const MAX_RECHECKS = 3;

/** Continues at the first chunk that is not verified. What the slot holds already and is right is not fetched again. */
export function resume(state: UpdateState, job: Job): Step {
  const fresh: Job = { ...atVerified(job), paceEnd: 0 };
  // without checked chunks it is not known how much is right
  const mayGoOn = !job.wholeOnly && checksChunks(job);
  return checkNextChunk(state, mayGoOn ? fresh : fromTheStart(fresh));
}

/** Without the bytes behind the last verified chunk. */
const atVerified = (job: Job): Job => ({
  ...job,
  offset: job.verifiedBytes,
  available: 0,
  pending: undefined,
  head: FRESH_JOB.head,
  ahead: job.reader,
});

/** Nothing is known of what the slot holds from here on. */
const unerased = (job: Job): Job => ({ ...job, erasedTo: job.verifiedBytes, writtenTo: job.verifiedBytes });

const fromTheStart = (job: Job): Job => ({
  ...job,
  offset: 0,
  verifiedBytes: 0,
  erasedTo: 0,
  writtenTo: 0,
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

export function resumedChunkHashed(
  state: Installing,
  event: Stamped & { readonly digest: Uint8Array },
): Step {
  const { job } = state;
  const index = chunkIndex(job);
  const verifiedBytes = job.verifiedBytes + chunkLength(job.release, index);
  if (!isChunkRight(job, event.digest)) return chunkMissing(state, verifiedBytes, event.random);
  const next: Job = unerased({ ...job, verifiedBytes, offset: verifiedBytes, isStored: false });
  if (index + 1 >= chunkCountOf(job.release)) return prove(state, next);
  if (!job.isStored) return checkNextChunk(state, next);
  const [after, counted, noted] = gotOn(state, next);
  const [last, effects] = checkNextChunk(after, counted);
  return [last, [...noted, ...effects]];
}

/** The chunk that ends at `end` is not in the slot. */
function chunkMissing(state: Installing, end: number, random: number): Step {
  const job: Job = { ...state.job, isResuming: false };
  return job.isStored ? retryLater(state, job, mismatchOfChunk(job, end), random) : request(state, job);
}

/**
 * The next chunk may be in the slot, where it came by another way than as an answer: checked like one that was there before. So parts do arrive,
 * and the image need not be fetched as a whole; what the slot has of it then is neither progress nor a failed try.
 */
export function chunkStored(state: Installing): Step {
  const job: Job = { ...state.job, wholeOnly: false };
  if (job.source.kind !== "server" || !checksChunks(job)) return [state, []];
  const [next, effects] = checkNextChunk(state, {
    ...unerased(atVerified(job)),
    isResuming: true,
    isStored: !state.job.wholeOnly,
  });
  return [
    next,
    [{ type: "clearTimer", timer: "transfer" }, { type: "closeRequest", attempt: state.attempt }, ...effects],
  ];
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
  if (job.hold) return stage(state, event.at);
  const attempt = nextAttempt(state);
  const record: InstallRecord = { ...provedImage(state, job), powerLosses: 0 };
  return [
    enter(state, { phase: "arming", attempt, record, job }),
    [
      ...report(state, job, { status: "installing", step: "verifying", bytes_downloaded: release.size }),
      recordAndArm(record, attempt),
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
    ...unerased({ ...job, verifiedBytes: 0 }),
    mismatchCount: job.mismatchCount + 1,
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
  const { source, release } = job;
  return source.kind === "push"
    ? restartInto(state, job, release, [pushSucceeded(state, source, release)], PUSH_RESTART_DELAY_MS)
    : restartInto(state, job, release, []);
}
