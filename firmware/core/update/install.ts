// The installation around the transfer: what is in the slot already, whether all of it is right, the record, the arming. After
// a cut it trusts no notebook: it hashes the slot chunk by chunk and goes on at the first wrong one. Where the digests come in pages,
// the page of the chunk at hand is fetched first (digest-fetch.ts).

import { toHex } from "../bytes.js";
import type { Stamped } from "../event.js";
import { TRIAL_REASON_KEY } from "../trial/boot-validation.js";
import { chunkIndex, comparesChunks, hashChunk, isChunkRight } from "./chunk-check.js";
import { fetchPage, lacksPage } from "./digest-fetch.js";
import { chunkCountOf, chunkLength } from "./digests.js";
import { endAttempt } from "./failure.js";
import { newImageReader } from "./image.js";
import { proofOf, prove } from "./proof.js";
import { PUSH_RESTART_DELAY_MS, pushSucceeded } from "./pushed-update.js";
import { type InstallRecord, storeRecord } from "./record.js";
import {
  enter,
  FRESH_JOB,
  firmwareIdOf,
  type Installing,
  type Job,
  nextAttempt,
  report,
  type Step,
  type UpdateState,
} from "./state.js";
import { request } from "./transfer.js";

/** Time for the last report to leave before the restart. */
const RESTART_DELAY_MS = 2_000;
/** A flash that goes on changing what it holds is broken. */
const MAX_LOOKS = 3;

/** Reads the slot back from its beginning: what is there and right need not be fetched again. */
export function resume(state: UpdateState, job: Job): Step {
  const fresh: Job = {
    ...job,
    offset: job.verifiedBytes,
    available: 0,
    pending: undefined,
    head: FRESH_JOB.head,
    erasedTo: job.verifiedBytes,
    ahead: job.reader,
  };
  // of what is compared with nothing, nobody knows how much is right
  const mayGoOn = !job.wholeOnly && comparesChunks(job);
  return goOn(state, mayGoOn ? fresh : fromItsBeginning(fresh));
}

const fromItsBeginning = (job: Job): Job => ({
  ...job,
  offset: 0,
  verifiedBytes: 0,
  erasedTo: 0,
  reader: newImageReader,
  ahead: newImageReader,
  isLooking: false,
});

/** At the first chunk that is not known to be right: its digest, then a look at what the slot holds, then the network. */
export function goOn(state: UpdateState, job: Job): Step {
  if (lacksPage(job)) return fetchPage(state, job);
  if (!job.isLooking) return request(state, job);
  const attempt = nextAttempt(state);
  return [enter(state, { phase: "resuming", attempt, job }), [hashChunk(job, attempt)]];
}

export function resumeHashed(state: Installing, event: { readonly digest: Uint8Array }): Step {
  const { job } = state;
  if (!isChunkRight(job, event.digest)) return request(state, { ...job, isLooking: false });
  const index = chunkIndex(job);
  const verifiedBytes = job.verifiedBytes + chunkLength(job.release, index);
  const next: Job = { ...job, verifiedBytes, offset: verifiedBytes, erasedTo: verifiedBytes };
  return index + 1 < chunkCountOf(job.release) ? goOn(state, next) : prove(state, next);
}

export function proved(state: Installing, event: Stamped & { readonly digest: Uint8Array }): Step {
  const { job } = state;
  const { release } = job;
  const { digest: promised, algorithm, length } = proofOf(job);
  if (toHex(event.digest) !== promised) {
    const message = `the first ${length} bytes of the slot have ${algorithm} ${toHex(event.digest)}, promised is ${promised}`;
    if (mayLookAgain(job)) return lookAgain(state, job, message);
    return endAttempt(state, job, { code: "IMAGE_MISMATCH", message }, event.random);
  }
  const attempt = nextAttempt(state);
  const record: InstallRecord = {
    firmwareId: firmwareIdOf(job),
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
      { type: "forget", key: TRIAL_REASON_KEY },
      storeRecord(record),
      { type: "armSlot", attempt },
    ],
  ];
}

/**
 * Power that fails while flash is programmed can leave bits on the verge: a chunk reads right when it is looked at, and wrong when the
 * whole is. The chunks are looked at once more then; only if they are right again is the release to blame.
 */
const mayLookAgain = ({ signed, source, mismatchCount }: Job) =>
  signed && source.kind === "server" && mismatchCount < MAX_LOOKS;

function lookAgain(state: UpdateState, job: Job, message: string): Step {
  const [next, effects] = resume(state, {
    ...job,
    mismatchCount: job.mismatchCount + 1,
    verifiedBytes: 0,
    reader: newImageReader,
    isLooking: true,
  });
  return [
    next,
    [{ type: "log", level: "warn", message: `${message}; looking at each chunk again` }, ...effects],
  ];
}

export function armed(state: Installing): Step {
  const { job } = state;
  const { source } = job;
  return [
    enter(state, { phase: "restarting" }),
    [
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
