// An image without signed digests, fetched into the cache for nodes that know its MD5 only: piece by piece by Range, then the whole is read
// back and compared. What a power cut has left is compared before anything is fetched. Holds at most one sector of it at a time.
//
//   proving ─ MD5 right ─────────────────────────────────────────────────────────────► ready
//      └─ wrong ─► requesting ─► streaming ─ erase, write … ─► the next piece … ─► proving ─ wrong ─► failed
//                      ▲               └── failure ──► waiting ──┘ 5 times in a row: failed
//                      └─────────────────────────────────┘

import { backoffMs } from "../backoff.js";
import { toHex } from "../bytes.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Event, Stamp } from "../event.js";
import { judgePart, type Part, rangeHeader } from "../http/part.js";
import { SECTOR_BYTES } from "../update/release.js";
import type { CacheEffect, CacheEvent } from "./cache-vocabulary.js";
import { writeCache } from "./cache-write.js";

const PIECE_BYTES = 4 * SECTOR_BYTES;
const RETRY = Object.freeze({ firstMs: 1_000, maximumMs: 60_000 });
const MAX_FAILURES = 5;
/** A server that sends nothing for so long has gone. */
const STALL_MS = 20_000;
const FIRST_ATTEMPT = 500_000_000;
/** Its requests are below these; the relay's and the cache's would need a thousand million to come here. */
const FIRST_REQUEST = -1_500_000_000;

export interface PlainOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly md5: string;
}

export interface PlainState {
  readonly order: PlainOrder;
  readonly phase: "proving" | "requesting" | "streaming" | "waiting" | "ready" | "failed";
  readonly attempt: number;
  readonly request: number;
  /** Up to here it is written. */
  readonly offset: number;
  readonly pending: Uint8Array | undefined;
  readonly available: number;
  readonly failureCount: number;
  readonly isFetched: boolean;
}

export type PlainTimer = "job.image";
export type PlainEffect =
  | CacheEffect
  | TimerEffect<PlainTimer>
  | Extract<Effect, { readonly type: "startRequest" | "readResponse" | "closeRequest" | "log" }>;
export type PlainStep = readonly [PlainState, readonly PlainEffect[]];

/** @param before what was fetched last: its numbers are not used again */
export function fetchPlainImage(order: PlainOrder, before?: PlainState): PlainStep {
  return prove({
    order,
    phase: "proving",
    attempt: before?.attempt ?? FIRST_ATTEMPT,
    request: before?.request ?? FIRST_REQUEST,
    offset: 0,
    pending: undefined,
    available: 0,
    failureCount: 0,
    isFetched: false,
  });
}

/** It is not wanted any more. */
export const stopPlainImage = (state: PlainState): readonly PlainEffect[] => [
  { type: "clearTimer", timer: "job.image" },
  { type: "closeRequest", attempt: state.request },
];

/** An event of its own effects, request or timer; others are ignored. */
export function plainImageHeard(
  state: PlainState,
  event: CacheEvent | Event | { readonly type: "timerFired"; readonly timer: string },
  stamp: Stamp,
): PlainStep {
  switch (event.type) {
    case "timerFired":
      if (event.timer !== "job.image") return [state, []];
      if (state.phase === "waiting") return request(state);
      return isAsking(state) ? failed(state, "the server is silent", stamp) : [state, []];
    case "cacheErased":
      return isWriting(state, event) ? writeCache(state, true) : [state, []];
    case "cacheWritten":
      return isWriting(state, event) ? written(state) : [state, []];
    case "cacheHashed":
      return event.attempt === state.attempt ? proved(state, toHex(event.digest)) : [state, []];
    case "cacheFailed":
      return event.attempt === state.attempt ? over(state, event.message) : [state, []];
    case "responseStarted":
    case "responseReadable":
    case "responseData":
    case "responseEnded":
    case "requestFailed":
      return event.attempt === state.request && isAsking(state) ? answered(state, event, stamp) : [state, []];
    default:
      return [state, []];
  }
}

const isAsking = ({ phase }: PlainState): boolean => phase === "requesting" || phase === "streaming";

const isWriting = ({ phase, attempt }: PlainState, event: { readonly attempt: number }): boolean =>
  phase === "streaming" && event.attempt === attempt;

function prove(state: PlainState): PlainStep {
  const attempt = state.attempt + 1;
  const { sizeBytes } = state.order;
  return [
    { ...state, phase: "proving", attempt },
    [{ type: "hashCache", attempt, offset: 0, length: sizeBytes, algorithm: "MD5" }],
  ];
}

function proved(state: PlainState, md5: string): PlainStep {
  if (state.phase !== "proving") return [state, []];
  if (md5 === state.order.md5) return [{ ...state, phase: "ready" }, []];
  if (!state.isFetched) return request({ ...state, offset: 0 });
  return over(state, `its MD5 is ${md5}, not ${state.order.md5}`);
}

function request(state: PlainState): PlainStep {
  const attempt = state.request - 1;
  const { url, headers } = state.order;
  const part = partOf(state);
  return [
    { ...state, phase: "requesting", request: attempt, pending: undefined, available: 0 },
    [
      {
        type: "startRequest",
        attempt,
        request: { method: "GET", url, headers: { ...headers, ...rangeHeader(part) } },
      },
      { type: "setTimer", timer: "job.image", delayMs: STALL_MS },
    ],
  ];
}

/** The piece that the offset is in, from its beginning: a failure may have left half a sector. */
function partOf({ offset, order: { sizeBytes } }: PlainState): Part {
  const start = offset - (offset % PIECE_BYTES);
  return { start, end: Math.min(start + PIECE_BYTES, sizeBytes), totalBytes: sizeBytes };
}

type AnswerEvent = Extract<
  Event,
  {
    readonly type:
      | "responseStarted"
      | "responseReadable"
      | "responseData"
      | "responseEnded"
      | "requestFailed";
  }
>;

function answered(state: PlainState, event: AnswerEvent, stamp: Stamp): PlainStep {
  switch (event.type) {
    case "responseStarted": {
      const part = partOf(state);
      const verdict = judgePart(part, event, part.end - part.start);
      return verdict.isTaken
        ? [{ ...state, phase: "streaming", offset: part.start }, []]
        : failed(state, verdict.failure.message, stamp);
    }
    case "responseReadable": {
      const isBusy = state.pending !== undefined || state.available > 0;
      const next: PlainState = { ...state, available: event.count };
      return state.phase !== "streaming" || isBusy ? [next, []] : read(next);
    }
    case "responseData":
      return writeCache(
        { ...state, pending: event.bytes, available: state.available - event.bytes.length },
        false,
      );
    case "responseEnded":
      return hasCome(state) ? [state, []] : failed(state, "the answer ended early", stamp);
    default:
      return failed(state, event.message, stamp);
  }
}

/** All of the piece: what is left is to write it. */
const hasCome = (state: PlainState): boolean =>
  state.phase === "streaming" && state.offset + (state.pending?.length ?? 0) >= partOf(state).end;

/** To the end of a sector at most. */
function read(state: PlainState): PlainStep {
  const { offset, available } = state;
  const maxBytes = Math.min(SECTOR_BYTES - (offset % SECTOR_BYTES), partOf(state).end - offset, available);
  if (maxBytes <= 0) return [state, []];
  return [
    state,
    [
      { type: "setTimer", timer: "job.image", delayMs: STALL_MS },
      { type: "readResponse", attempt: state.request, maxBytes },
    ],
  ];
}

function written(state: PlainState): PlainStep {
  const { pending } = state;
  if (!pending) return [state, []];
  const { end, totalBytes } = partOf(state);
  const next: PlainState = { ...state, offset: state.offset + pending.length, pending: undefined };
  if (next.offset < end) return read(next);
  const closing: PlainEffect = { type: "closeRequest", attempt: state.request };
  const [after, effects] =
    next.offset < totalBytes
      ? request({ ...next, failureCount: 0 })
      : prove({ ...next, isFetched: true, failureCount: 0 });
  return [after, [closing, { type: "clearTimer", timer: "job.image" }, ...effects]];
}

function failed(state: PlainState, message: string, { random }: Stamp): PlainStep {
  const failureCount = state.failureCount + 1;
  if (failureCount >= MAX_FAILURES) return over(state, message);
  const delayMs = backoffMs(RETRY, failureCount, random);
  return [
    { ...state, phase: "waiting", failureCount, pending: undefined, available: 0 },
    [
      ...stopPlainImage(state),
      { type: "log", level: "warn", message: `the mesh's image at ${state.offset}: ${message}` },
      { type: "setTimer", timer: "job.image", delayMs },
    ],
  ];
}

const over = (state: PlainState, message: string): PlainStep => [
  { ...state, phase: "failed", pending: undefined, available: 0 },
  [
    ...stopPlainImage(state),
    { type: "log", level: "error", message: `the mesh's image is not fetched: ${message}` },
  ],
];
