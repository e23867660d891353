// The cache: one image for other devices, fetched from the update server once, chunk by chunk from its start. A chunk is passed on only after it
// was read back and has its digest. Nothing is recorded: after a restart, a chunk that is in the flash proves itself by its digest, and another
// is fetched again. Holds 4 KiB of the image at a time, and a page of digests (2 KiB).
//
//   idle ─ fill ─► paging ─► checking ─ digest right ──────────────────────────────────────► cacheGrown, and the next one
//                 (digests)     └─ wrong ─► requesting ─► streaming ─ erase, write … ─► checking again ─┘
//                                               ▲                └─── any failure ───┐
//                                               └────────────── waiting ◄────────────┘  5 times in a row: cacheStopped

import { backoffMs } from "../backoff.js";
import { bytesEqual } from "../bytes.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Event, Stamp } from "../event.js";
import { judgePart, type Part, rangeHeader } from "../http/part.js";
import { retryAfterMs } from "../http/retry-after.js";
import {
  CHUNKS_A_PAGE,
  chunkCountOf,
  chunkLength,
  DIGEST_BYTES,
  digestAt,
  pageAt,
  pageBytes,
  pageOffset,
} from "../update/digests.js";
import { SECTOR_BYTES } from "../update/release.js";
import type { CacheEffect, CacheEvent } from "./cache-vocabulary.js";
import { writeCache } from "./cache-write.js";
import type { CachedImage } from "./cached-image.js";

const RETRY = Object.freeze({ firstMs: 1_000, maximumMs: 60_000 });
const MAX_FAILURES = 5;
/** A server that sends nothing for so long has gone. */
const STALL_MS = 20_000;
/** Requests of the cache are even, below 0; those of the relay are odd. */
const FIRST_REQUEST = -2;

export type CacheTimer = "relay.cache";

export interface CacheState {
  readonly image: CachedImage | undefined;
  readonly phase: "idle" | "paging" | "hashingPage" | "checking" | "requesting" | "streaming" | "waiting";
  /** The chunk that is being checked or fetched. */
  readonly index: number;
  /** One that a device has found to be wrong: it is looked at next. */
  readonly doubted: number | undefined;
  /** Which chunks are there and right: one byte each, filled in place, because an image has up to 1 024 of them. */
  readonly right: Uint8Array;
  readonly page: { readonly index: number; readonly digests: Uint8Array } | undefined;
  /** The chunk was fetched in this try: if it is wrong now, the flash or the server is. */
  readonly isFetched: boolean;
  /** Of the effects on the flash, and of requests. */
  readonly attempt: number;
  readonly request: number;
  /** Within the image: up to here it is written. */
  readonly offset: number;
  readonly pending: Uint8Array | undefined;
  /** Bytes that wait to be read. */
  readonly available: number;
  readonly failureCount: number;
  /** Bytes of the image that were read from the server, since it is this image. */
  readonly fetchedBytes: number;
}

const NO_BYTES = new Uint8Array(0);

export const initialCache: CacheState = Object.freeze({
  image: undefined,
  phase: "idle",
  index: 0,
  doubted: undefined,
  right: NO_BYTES,
  page: undefined,
  isFetched: false,
  attempt: 0,
  request: FIRST_REQUEST,
  offset: 0,
  pending: undefined,
  available: 0,
  failureCount: 0,
  fetchedBytes: 0,
});

/** Whom to ask, and as whom. */
export interface Source {
  readonly server: string;
  /** Headers of each request: the token of a device that may have this image. */
  readonly headers: Readonly<Record<string, string>>;
}

export type CacheOutput =
  | CacheEffect
  | TimerEffect<CacheTimer>
  | Extract<
      Effect,
      {
        readonly type:
          | "startRequest"
          | "readResponse"
          | "collectResponse"
          | "closeRequest"
          | "hashBytes"
          | "log";
      }
    >
  /** So much of the image is there and right, from its start. */
  | { readonly type: "cacheGrown"; readonly availableBytes: number }
  /** No more can be had now. `status`: what the server answered; 0: nothing. */
  | { readonly type: "cacheStopped"; readonly status: number; readonly retryAfterMs: number };

type Step = readonly [CacheState, readonly CacheOutput[]];

/** From now on the cache is for this image. What the flash holds is looked at before anything is fetched. */
export function useCacheFor(state: CacheState, image: CachedImage): Step {
  if (state.image?.id === image.id) return [{ ...state, image }, []];
  const { attempt, request } = state;
  const right = new Uint8Array(chunkCountOf(image.release));
  return [{ ...initialCache, image, right, attempt: attempt + 1, request }, closing(state)];
}

/** The cache is for no image any more. */
export const leaveCache = (state: CacheState): Step => [
  { ...initialCache, attempt: state.attempt + 1, request: state.request },
  closing(state),
];

/** Bytes of the image that are there and right, from its start. */
export function availableBytes({ image, right }: CacheState): number {
  const missing = right.indexOf(0);
  if (!image) return 0;
  return missing < 0 ? image.release.size : missing * image.release.chunkSize;
}

/** All of the image has come into the flash by another way, and was checked there. */
export function cacheIsWhole(state: CacheState): Step {
  const next: CacheState = { ...state, right: new Uint8Array(state.right.length).fill(1) };
  return [next, [{ type: "cacheGrown", availableBytes: availableBytes(next) }]];
}

/** Devices want the image: what is missing of it is fetched, until all of it is there or `cacheStopped` tells why not. */
export function fillCache(state: CacheState, source: Source): Step {
  if (state.phase !== "idle" || !state.image) return [state, []];
  const missing = state.right.indexOf(0);
  return missing < 0 ? [state, []] : begin({ ...state, failureCount: 0 }, missing, source);
}

/** A device asks for this chunk anew, perhaps because it was wrong: it is looked at, and fetched again if it is wrong here. */
export function doubtChunk(state: CacheState, index: number, source: Source): Step {
  if (state.right[index] !== 1) return fillCache(state, source);
  if (state.phase !== "idle") return [{ ...state, doubted: index }, []];
  return begin({ ...state, failureCount: 0 }, index, source);
}

/** An event of the cache's own effects, requests or timer; others are ignored. */
export function cacheHeard(
  state: CacheState,
  event: CacheEvent | Event | { readonly type: "timerFired"; readonly timer: string },
  source: Source,
  stamp: Stamp,
): Step {
  const { image } = state;
  if (!image) return [state, []];
  switch (event.type) {
    case "timerFired":
      if (event.timer !== "relay.cache") return [state, []];
      if (state.phase === "waiting") return begin(state, state.index, source);
      return isAsking(state) ? failed(state, "the server is silent", NO_ANSWER, stamp) : [state, []];
    case "cacheErased":
      return isMine(state, event) && state.phase === "streaming" ? writeCache(state, true) : [state, []];
    case "cacheWritten":
      return isMine(state, event) && state.phase === "streaming" ? written(state) : [state, []];
    case "cacheHashed":
      return isMine(state, event) && state.phase === "checking"
        ? checked(state, image, event.digest, source, stamp)
        : [state, []];
    case "cacheFailed":
      return isMine(state, event) ? failed(state, event.message, NO_ANSWER, stamp) : [state, []];
    case "bytesHashed":
      return event.attempt === state.request && state.phase === "hashingPage"
        ? pageHashed(state, image, event, stamp)
        : [state, []];
    case "responseStarted":
    case "responseReadable":
    case "responseData":
    case "bytesCollected":
    case "responseEnded":
    case "requestFailed":
      return event.attempt === state.request && isAsking(state)
        ? answerHeard(state, image, event, stamp)
        : [state, []];
    default:
      return [state, []];
  }
}

const isMine = ({ attempt }: CacheState, event: { readonly attempt: number }): boolean =>
  event.attempt === attempt;
const isAsking = ({ phase }: CacheState): boolean =>
  phase === "paging" || phase === "requesting" || phase === "streaming";

/** Ends what is under way: the gateway has lost its network. What is there stays. */
export function pauseCache(state: CacheState): Step {
  if (!isAsking(state)) return [state, []];
  return [
    { ...state, phase: "waiting", pending: undefined, available: 0 },
    [...closing(state), timer(RETRY.firstMs)],
  ];
}

const closing = (state: CacheState): readonly CacheOutput[] =>
  state.phase === "idle"
    ? []
    : [
        { type: "clearTimer", timer: "relay.cache" },
        ...(isAsking(state) ? [{ type: "closeRequest", attempt: state.request } as const] : []),
      ];

// ── a chunk: its page of digests, what the flash has of it

function begin(state: CacheState, index: number, source: Source): Step {
  const { image } = state;
  if (!image) return [state, []];
  const next: CacheState = { ...state, index, isFetched: false };
  const page = pageAt(image.release, index * image.release.chunkSize);
  return next.page?.index === page ? check(next, image) : fetchPage(next, image, source);
}

function check(state: CacheState, { release }: CachedImage): Step {
  const { index } = state;
  const attempt = state.attempt + 1;
  const offset = index * release.chunkSize;
  return [
    { ...state, phase: "checking", attempt },
    [
      { type: "clearTimer", timer: "relay.cache" },
      { type: "hashCache", attempt, offset, length: chunkLength(release, index) },
    ],
  ];
}

function checked(
  state: CacheState,
  image: CachedImage,
  digest: Uint8Array,
  source: Source,
  stamp: Stamp,
): Step {
  const { index, page, isFetched } = state;
  if (page && bytesEqual(digest, digestAt(page.digests, index % CHUNKS_A_PAGE)))
    return ready(state, index, source);
  state.right[index] = 0;
  if (isFetched) return failed(state, `chunk ${index} has another digest`, NO_ANSWER, stamp);
  return fetchChunk(state, image, source);
}

/** It is there: what is doubted comes next, or else what is missing. */
function ready(state: CacheState, index: number, source: Source): Step {
  state.right[index] = 1;
  const { doubted } = state;
  const idle: CacheState = { ...state, phase: "idle", failureCount: 0, doubted: undefined };
  const grown: CacheOutput = { type: "cacheGrown", availableBytes: availableBytes(idle) };
  const [next, outputs] = doubted === undefined ? fillCache(idle, source) : begin(idle, doubted, source);
  return [next, [grown, ...outputs]];
}

// ── what is fetched

function fetchPage(state: CacheState, image: CachedImage, source: Source): Step {
  return ask(
    { ...state, phase: "paging", page: undefined },
    image.digestsTarget,
    pagePart(state, image),
    source,
  );
}

function pagePart({ index }: CacheState, { release }: CachedImage): Part {
  const page = pageAt(release, index * release.chunkSize);
  const start = pageOffset(page);
  return { start, end: start + pageBytes(release, page), totalBytes: chunkCountOf(release) * DIGEST_BYTES };
}

function fetchChunk(state: CacheState, image: CachedImage, source: Source): Step {
  const part = chunkPart(state, image);
  const fresh: CacheState = {
    ...state,
    phase: "requesting",
    offset: part.start,
    pending: undefined,
    available: 0,
  };
  return ask(fresh, image.target, part, source);
}

function chunkPart({ index }: CacheState, { release }: CachedImage): Part {
  const start = index * release.chunkSize;
  return { start, end: start + chunkLength(release, index), totalBytes: release.size };
}

function ask(state: CacheState, target: string, part: Part, { server, headers }: Source): Step {
  const attempt = state.request - 2;
  const request = {
    method: "GET",
    url: `${server}${target}`,
    headers: { ...headers, ...rangeHeader(part) },
  } as const;
  return [{ ...state, request: attempt }, [{ type: "startRequest", attempt, request }, timer(STALL_MS)]];
}

type AnswerEvent = Extract<
  Event,
  {
    readonly type:
      | "responseStarted"
      | "responseReadable"
      | "responseData"
      | "bytesCollected"
      | "responseEnded"
      | "requestFailed";
  }
>;

function answerHeard(state: CacheState, image: CachedImage, event: AnswerEvent, stamp: Stamp): Step {
  const attempt = state.request;
  switch (event.type) {
    case "responseStarted": {
      const part = state.phase === "paging" ? pagePart(state, image) : chunkPart(state, image);
      const verdict = judgePart(part, event, part.end - part.start);
      if (!verdict.isTaken) {
        const refusal = { status: event.status, retryAfterMs: retryAfterMs(event.headers, undefined) };
        return failed(state, verdict.failure.message, refusal, stamp);
      }
      return state.phase === "paging"
        ? [state, [{ type: "collectResponse", attempt, maxBytes: part.end - part.start, as: "bytes" }]]
        : [{ ...state, phase: "streaming" }, []];
    }
    case "responseReadable": {
      const isBusy = state.pending !== undefined || state.available > 0;
      const next: CacheState = { ...state, available: event.count };
      return state.phase !== "streaming" || isBusy ? [next, []] : read(next, image);
    }
    case "responseData":
      return state.phase === "streaming" ? taken(state, event.bytes) : [state, []];
    case "bytesCollected":
      return state.phase === "paging" ? hashPage(state, image, event.bytes, stamp) : [state, []];
    case "responseEnded":
      return isAllRead(state, image)
        ? [state, []]
        : failed(state, "the answer ended early", NO_ANSWER, stamp);
    case "requestFailed":
      return isAllRead(state, image) ? [state, []] : failed(state, event.message, NO_ANSWER, stamp);
  }
}

const isAllRead = (state: CacheState, image: CachedImage): boolean =>
  state.phase === "streaming" && state.offset + (state.pending?.length ?? 0) >= chunkPart(state, image).end;

function hashPage(state: CacheState, image: CachedImage, bytes: Uint8Array, stamp: Stamp): Step {
  const part = pagePart(state, image);
  if (bytes.length < part.end - part.start) return failed(state, "the answer ended early", NO_ANSWER, stamp);
  return [
    { ...state, phase: "hashingPage" },
    [
      { type: "closeRequest", attempt: state.request },
      { type: "clearTimer", timer: "relay.cache" },
      { type: "hashBytes", attempt: state.request, bytes },
    ],
  ];
}

function pageHashed(
  state: CacheState,
  image: CachedImage,
  { bytes, digest }: { readonly bytes: Uint8Array; readonly digest: Uint8Array },
  stamp: Stamp,
): Step {
  const index = pageAt(image.release, state.index * image.release.chunkSize);
  if (!bytesEqual(digest, digestAt(image.release.digests, index)))
    return failed(state, `page ${index} of the digests does not have its hash`, NO_ANSWER, stamp);
  return check({ ...state, page: { index, digests: bytes } }, image);
}

/** A piece ends at the end of its sector, so that a write needs one erase at most. */
function read(state: CacheState, image: CachedImage): Step {
  const toSectorEnd = SECTOR_BYTES - (state.offset % SECTOR_BYTES);
  const maxBytes = Math.min(state.available, toSectorEnd, chunkPart(state, image).end - state.offset);
  return [state, maxBytes > 0 ? [{ type: "readResponse", attempt: state.request, maxBytes }] : []];
}

function taken(state: CacheState, bytes: Uint8Array): Step {
  const available = Math.max(0, state.available - bytes.length);
  const fetchedBytes = state.fetchedBytes + bytes.length;
  const [next, outputs] = writeCache({ ...state, pending: bytes, available, fetchedBytes }, false);
  return [next, [timer(STALL_MS), ...outputs]];
}

function written(state: CacheState): Step {
  const { image, pending } = state;
  if (!image || !pending) return [state, []];
  const next: CacheState = { ...state, offset: state.offset + pending.length, pending: undefined };
  if (next.offset < chunkPart(next, image).end) return read(next, image);
  const [checking, outputs] = check({ ...next, isFetched: true }, image);
  return [checking, [{ type: "closeRequest", attempt: state.request }, ...outputs]];
}

// ── failures

const NO_ANSWER = Object.freeze({ status: 0, retryAfterMs: 0 });

function failed(
  state: CacheState,
  message: string,
  refusal: { readonly status: number; readonly retryAfterMs: number },
  { random }: Stamp,
): Step {
  const { index } = state;
  const failureCount = state.failureCount + 1;
  const isOver =
    failureCount >= MAX_FAILURES || isFinal(refusal.status) || refusal.retryAfterMs > RETRY.maximumMs;
  const stopped: CacheState = { ...state, pending: undefined, available: 0, failureCount };
  const said: readonly CacheOutput[] = [
    ...closing(state),
    { type: "log", level: "warn", message: `chunk ${index} of the image in the cache: ${message}` },
  ];
  if (isOver)
    return [
      { ...stopped, phase: "idle", doubted: undefined },
      [...said, { type: "cacheStopped", ...refusal }],
    ];
  const delayMs = Math.max(backoffMs(RETRY, failureCount, random), refusal.retryAfterMs);
  return [{ ...stopped, phase: "waiting" }, [...said, timer(delayMs)]];
}

/** The server will say the same again. */
const isFinal = (status: number): boolean =>
  status >= 400 && status < 500 && !IS_ABOUT_LATER.includes(status);
const IS_ABOUT_LATER: readonly number[] = Object.freeze([408, 425, 429]);

const timer = (delayMs: number): CacheOutput => ({ type: "setTimer", timer: "relay.cache", delayMs });
