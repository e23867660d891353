// The transfer: the bytes go from the network to the flash as effects, one piece at a time, and the next piece is requested only when the
// last one has been written. A complete chunk is read back from the flash and checked (chunk-check.ts). With pages of digests, a request
// ends with the chunks of a page, so that only one connection is open at a time.
//
//   responseReadable ─► readResponse ─► responseData ─► eraseSlot, at the start of a block ──► writeSlot ─► slotWritten ─┐
//                            ▲                                                                                           ▼
//                            └──────────────────────────────────── chunk right ◄─ hashSlot ◄─ chunk complete ◄───────────┤
//                            └───────────────────────────────────────────────────────────────────────────── otherwise ◄──┘

import type { Effect } from "../effect.js";
import type { Failure } from "../errors.js";
import type { Raise, Stamped } from "../event.js";
import { judgePart, type Part, rangeHeader } from "../http/part.js";
import { authorizationAt } from "../server/server-token.js";
import { checksChunks, hashChunk, isChunkRight } from "./chunk-check.js";
import { fetchPage, lacksPage } from "./digest-fetch.js";
import { pageAt, pageEnd } from "./digests.js";
import { type ImageReader, readImage } from "./image.js";
import {
  describeMismatch,
  lastBytes,
  lengthWithSignatures,
  pushMismatch,
  withDescription,
} from "./image-match.js";
import { FRESH_JOB, type Job } from "./job.js";
import { nvsMismatch } from "./nvs-kind.js";
import { noteProgress } from "./offer-crashes.js";
import { newPace, paceFailure } from "./pace.js";
import { prove } from "./proof.js";
import { BLOCK_BYTES, SECTOR_BYTES } from "./release.js";
import { bodyTruncated, failAttempt, handleSlotFailure, rejectPart, retryLater } from "./retry.js";
import { clearSetbacks } from "./setbacks.js";
import {
  enter,
  type Installing,
  nextAttempt,
  report,
  STALL_MS,
  type Step,
  type UpdateState,
  withOfferCrashes,
  withSetbacks,
} from "./state.js";

/** Maximum that is read from the network and written to flash at once. */
const PIECE_BYTES = SECTOR_BYTES;

/** A report for each tenth of the image. */
const REPORT_STEPS = 10;

export function request(state: UpdateState, job: Job): Step {
  if (job.source.kind !== "server") return [state, []]; // a pushed body comes by itself
  const { url } = job.source;
  const attempt = nextAttempt(state);
  const next: Job = { ...job, rangeEnd: rangeEndOf(job) };
  const headers = {
    ...authorizationAt(url, state.serverTokens, state.boot?.build),
    ...rangeHeader(partOf(next)),
  };
  return [
    enter(state, { phase: "requesting", attempt, job: next }),
    [
      ...(job.offset > 0
        ? [
            {
              type: "log",
              level: "info",
              message: `resuming at byte ${job.offset} of ${job.release.size}`,
            } as const,
          ]
        : []),
      { type: "startRequest", attempt, request: { method: "GET", url, headers } },
      { type: "setTimer", timer: "transfer", delayMs: STALL_MS },
    ],
  ];
}

/** The end of the chunks whose digests are there. */
function rangeEndOf(job: Job): number {
  const { release } = job;
  const isPaged = release.digestsOf === "pages" && checksChunks(job);
  return isPaged ? pageEnd(release, pageAt(release, job.offset)) : release.size;
}

const partOf = ({ offset, rangeEnd, release }: Job): Part => ({
  start: offset,
  end: rangeEnd,
  totalBytes: release.size,
});

export function responseStarted(
  state: Installing,
  event: Stamped & { readonly status: number; readonly headers: Readonly<Record<string, string>> },
): Step {
  const { job } = state;
  const verdict = judgePart(partOf(job), event, PIECE_BYTES);
  if (!verdict.isTaken) return rejectPart(state, job, verdict, event);
  // behind a part that was cut short the time goes on
  const pace = job.paceEnd === 0 ? newPace(job.offset, event.at) : undefined;
  const rangeEnd = verdict.end - keptBytes(state, job, verdict.end);
  const next: Job = { ...job, ...pace, rangeEnd, available: 0 };
  return [enter(state, { phase: "streaming", job: next }), []];
}

export function streamingStep(state: Installing, event: Stamped): Step {
  const { job } = state;
  switch (event.type) {
    case "responseReadable":
      return readable(state, job, event.count);
    case "responseData":
      return take(state, job, event);
    case "pushReadable":
      return isFromSender(job, event) ? readable(state, job, event.count) : [state, []];
    case "pushData":
      if (!isFromSender(job, event)) return [state, []];
      return take(state, event.isLast ? endingWith(job, event.bytes.length) : job, event);
    case "pushClosed":
      return isFromSender(job, event) && !isAllRead(job)
        ? retryLater(state, job, bodyTruncated(job), event.random)
        : [state, []];
    case "slotErased":
      return write(state, erased(job, event));
    case "slotWritten":
      return written(state, job, event.random);
    case "slotHashed":
      return chunkHashed(state, job, event);
    case "responseEnded":
      return isAllRead(job) ? [state, []] : retryLater(state, job, bodyTruncated(job), event.random);
    default:
      return handleSlotFailure(state, event);
  }
}

const isFromSender = ({ source }: Job, { connection }: { readonly connection: number }) =>
  source.kind === "push" && source.connection === connection;

/** The job of a push whose length was not known, and is with its last bytes. */
function endingWith(job: Job, lastCount: number): Job {
  const size = job.offset + job.head.length + lastCount;
  // what is signed has its length in the release
  return job.signed ? job : { ...job, rangeEnd: size, release: { ...job.release, size } };
}

/** Whether everything that was requested has been read. */
export const isAllRead = (job: Job): boolean =>
  job.offset + job.head.length + (job.pending?.length ?? 0) >= job.rangeEnd;

function readable(state: Installing, job: Job, count: number): Step {
  const next: Job = { ...job, available: count };
  const busy = job.pending !== undefined || job.available > 0;
  return busy ? [{ ...state, job: next }, []] : read(state, next);
}

/** A piece ends at the end of its sector, so that a write needs one erase at most. */
function read(state: Installing, job: Job): Step {
  if (job.available <= 0) return [{ ...state, job }, []];
  const position = job.offset + job.head.length;
  const toSectorEnd = PIECE_BYTES - (position % PIECE_BYTES);
  const toChunkEnd = job.release.chunkSize - (position % job.release.chunkSize);
  const maxBytes = Math.min(job.available, toSectorEnd, toChunkEnd, job.rangeEnd - position);
  const { source } = job;
  const effect: Effect =
    source.kind === "server"
      ? { type: "readResponse", attempt: state.attempt, maxBytes }
      : { type: "readPush", connection: source.connection, maxBytes };
  return [{ ...state, job }, maxBytes > 0 ? [effect] : []];
}

function take(state: Installing, job: Job, event: Stamped & { readonly bytes: Uint8Array }): Step {
  const bytes = job.head.length === 0 ? event.bytes : joined(job.head, event.bytes);
  const arrived = job.offset + bytes.length;
  const isPaceOver = arrived >= job.paceEnd;
  const slow = isPaceOver ? undefined : paceFailure(job, arrived, event.at);
  if (slow) return retryLater(state, job, slow, event.random);
  const position = job.offset + job.head.length;
  const ahead = readImage(job.ahead, position, event.bytes);
  const kept = keptBytes(state, job, arrived);
  const next = withDescription({
    ...job,
    ...(isPaceOver ? newPace(arrived, event.at) : undefined),
    ahead,
    tail: job.signed ? job.tail : lastBytes(job.tail, ofImage(ahead, position, event.bytes)),
    pending: kept === 0 ? bytes : bytes.subarray(0, bytes.length - kept),
    head: kept === 0 ? FRESH_JOB.head : bytes.slice(bytes.length - kept),
    available: job.available - event.bytes.length,
    failureCount: job.source.kind === "push" ? 0 : job.failureCount,
  });
  // a pushed image, or one whose chunks are not checked, may be anything: its head is checked before it is written
  const isUnknown = job.source.kind === "push" || !checksChunks(job);
  const mismatch = isUnknown
    ? pushMismatch(state, next)
    : nvsMismatch(state.boot?.image.nvs, next.ahead.description?.nvs);
  if (mismatch) return failAttempt(state, next, mismatch, event.random);
  const [after, effects] =
    isHeadMissing(next) || bytes.length === kept
      ? read(state, { ...next, pending: undefined, head: bytes })
      : write(state, next);
  return [after, [{ type: "setTimer", timer: "transfer", delayMs: STALL_MS }, ...effects]];
}

/** Of the bytes before `end`, those that wait for more of them, because the flash is written in units. */
function keptBytes({ boot }: UpdateState, { release }: Job, end: number): number {
  const unit = boot?.target?.writeUnitBytes ?? 1;
  return end < release.size ? end % unit : 0;
}

/** Those bytes at `position` of the file that are the image's: signatures of Secure Boot may follow it. */
const ofImage = ({ lengthBytes }: ImageReader, position: number, bytes: Uint8Array): Uint8Array =>
  lengthBytes === undefined ? bytes : bytes.subarray(0, Math.max(0, lengthBytes - position));

/** Nothing is erased before the image's descriptions are complete, however small its pieces are. */
const isHeadMissing = (job: Job): boolean =>
  job.offset === 0 && job.ahead.error === undefined && job.ahead.segmentIndex === 0 && !isAllRead(job);

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}

function write(state: Installing, job: Job): Step {
  const { pending, offset } = job;
  if (!pending) return [state, []];
  const { attempt } = state;
  const length = eraseLength(job);
  const effect: Effect =
    length > 0
      ? { type: "eraseSlot", attempt, offset: offset - (offset % SECTOR_BYTES), length }
      : { type: "writeSlot", attempt, offset, bytes: pending };
  return [{ ...state, job }, [effect]];
}

/**
 * Bytes to erase before the next write: what an earlier try has written, or the next block, if the image fills it. The last sectors are erased one
 * by one, because nothing is written behind them.
 */
function eraseLength({ offset, writtenTo, erasedTo, release }: Job): number {
  if (offset < writtenTo) return writtenTo - offset;
  if (offset < erasedTo) return 0;
  return offset % BLOCK_BYTES === 0 && offset + BLOCK_BYTES <= release.size ? BLOCK_BYTES : SECTOR_BYTES;
}

const erased = (job: Job, { offset, length }: { readonly offset: number; readonly length: number }): Job => ({
  ...job,
  writtenTo: Math.min(job.writtenTo, offset),
  erasedTo: Math.max(job.erasedTo, offset + length),
});

function written(state: Installing, job: Job, random: number): Step {
  const offset = job.offset + (job.pending?.length ?? 0);
  const next: Job = { ...job, offset, pending: undefined };
  const { chunkSize, size } = job.release;
  if (!checksChunks(job)) return uncheckedWritten(state, next, acknowledge(job), random);
  if (offset < size && offset % chunkSize !== 0) return goOn(state, next);
  // the chunk is complete
  return [{ ...state, job: { ...next, pending: EMPTY } }, [hashChunk(job, state.attempt)]];
}

const acknowledge = ({ source, pending }: Job): readonly Effect[] =>
  source.kind === "push" && source.acknowledged
    ? [{ type: "acknowledgePush", connection: source.connection, count: pending?.length ?? 0 }]
    : [];

/** Without digests of chunks there is nothing to check before the end. */
function uncheckedWritten(
  state: Installing,
  job: Job,
  acknowledged: readonly Effect[],
  random: number,
): Step {
  const [reported, progress] = progressOf(state, { ...job, reader: job.ahead, verifiedBytes: job.offset });
  const [next, effects] =
    reported.offset < reported.release.size
      ? goOn(state, reported)
      : uncheckedComplete(state, reported, random);
  return [next, [...acknowledged, ...progress, ...effects]];
}

function uncheckedComplete(state: UpdateState, job: Job, random: number): Step {
  const { size } = job.release;
  const { lengthBytes } = job.reader;
  // a signed image is checked by its hash
  const isWhole =
    lengthBytes !== undefined && (size === lengthBytes || size === lengthWithSignatures(lengthBytes));
  if (job.signed || isWhole) return proveArrived(state, job);
  const message = `file is ${size} bytes, the image in it ${lengthBytes === undefined ? "is longer" : `is ${lengthBytes}`}`;
  return failAttempt(state, job, { code: "IMAGE_MALFORMED", message }, random);
}

/** Pending while a chunk is hashed, so that an arriving byte starts no second read. */
const EMPTY = new Uint8Array(0);

function chunkHashed(state: Installing, job: Job, event: Stamped & { readonly digest: Uint8Array }): Step {
  if (!isChunkRight(job, event.digest)) {
    return retryLater(state, job, mismatchOfChunk(job, job.offset), event.random);
  }
  const mismatch = describeMismatch(job.ahead, job.release);
  if (mismatch) return failAttempt(state, job, mismatch, event.random);
  const done: Job = {
    ...job,
    reader: job.ahead,
    pending: undefined,
    verifiedBytes: job.offset,
  };
  if (done.verifiedBytes >= job.release.size) return proveArrived(state, done);
  const [after, reported, noted] = gotOn(state, done);
  const [next, effects] = lacksPage(reported) ? turnPage(after, reported) : goOn(after, reported);
  return [next, [...noted, ...effects]];
}

/** The chunk that ends at `end` is wrong. */
export const mismatchOfChunk = (job: Job, end: number): Failure => ({
  code: "CHUNK_MISMATCH",
  message: `bytes ${job.verifiedBytes} to ${end - 1} do not have the digest in the release`,
});

/** One more chunk has arrived and is right. What failed before no longer counts, and progress is reported. */
export function gotOn<State extends UpdateState>(
  state: State,
  job: Job,
): readonly [State, Job, readonly (Effect | Raise)[]] {
  const [reported, progress] = progressOf(state, {
    ...job,
    // a download that starts at the first byte each time makes no progress
    failureCount: job.wholeOnly ? job.failureCount : 0,
  });
  if (job.wholeOnly) return [state, reported, progress];
  const [counted, noting] = withOfferCrashes(state, noteProgress(state.offerCrashes));
  const [cleared, clearing] = withSetbacks(counted, clearSetbacks(counted.setbacks));
  return [cleared, reported, [...noting, ...clearing, ...progress]];
}

function proveArrived(state: UpdateState, job: Job): Step {
  const [next, effects] = prove(state, job);
  return [next, [...closeDownload(state, job), ...effects]];
}

/** Reads on; behind a part that the server has cut short, the rest is requested. */
function goOn(state: Installing, job: Job): Step {
  if (job.source.kind === "push" || job.offset < job.rangeEnd) return read(state, job);
  const [next, effects] = request(state, job);
  return [next, [...closeDownload(state, job), ...effects]];
}

/** All that was requested has arrived: the connection is closed before another is opened. */
function turnPage(state: UpdateState, job: Job): Step {
  const [next, effects] = fetchPage(state, job);
  return [next, [...closeDownload(state, job), ...effects]];
}

const closeDownload = (state: UpdateState, { source }: Job): readonly Effect[] =>
  source.kind === "server" ? [{ type: "closeRequest", attempt: state.attempt }] : [];

/** The progress of a download is reported in tenths; that of a push is visible to its sender. */
function progressOf(state: UpdateState, job: Job): readonly [Job, readonly Raise[]] {
  const step = Math.floor((job.verifiedBytes * REPORT_STEPS) / job.release.size);
  if (job.source.kind === "push" || step <= job.lastStep) return [job, []];
  const reported = {
    status: "downloading",
    step: "downloading",
    bytes_downloaded: job.verifiedBytes,
  } as const;
  return [{ ...job, lastStep: step }, report(state, job, reported)];
}
