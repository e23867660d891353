// Passes requests of nodes on to the update server: what comes in an exchange goes out by HTTP, one at a time, and its answer goes back. Only
// what belongs to the protocol of devices is passed on, with the node's own token. An image is not: its nodes are told that it comes in blocks,
// out of the cache. It learns of images by reading the answers to checks. Decides about no update.
//
//   requestTaken ─┬─ not for devices ─► 404
//                 ├─ the answer of an orchestrator (member) ─► that
//                 ├─ GET of an image that is known ─► 206, in blocks ─► imageWanted
//                 └─ otherwise: queue ─► startRequest ─► collected ─► answer ─ a check's: offered image ─► known

import { utf8Decode } from "../bytes.js";
import { readDigits } from "../digits.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Event } from "../event.js";
import { announcedBytes, announcedOffer } from "../http/answer-head.js";
import {
  BLOCKS_HEADER,
  type ExchangeAnswer,
  type ExchangeRequest,
  GATEWAY_HEADER,
  MAX_EXCHANGE_BYTES,
  problem,
  readRequest,
  writeAnswer,
} from "../radio/exchange-message.js";
import {
  answerExchange,
  hasRoomForAnswer,
  initialServer,
  type ServerOutput,
  type ServerState,
  serveFrame,
  sweepExchanges,
} from "../radio/exchange-server.js";
import type { RadioEffect } from "../radio/vocabulary.js";
import { readCheckAnswer } from "../update/check-answer.js";
import { ROOTS_PATH } from "../wire.js";
import { type CachedImage, offeredImage, pathOf } from "./cached-image.js";

/** Of a body: a head is beside it. The longest answer to a check is 7 KiB. */
const MAX_BODY_BYTES = MAX_EXCHANGE_BYTES - 512;
/** A node's patience ends after 30 s, and its answer takes some of them. */
const TIMEOUT_MS = 20_000;
/** Requests of the relay are odd, below 0; those of the cache are even. */
const FIRST_ATTEMPT = -1;
/** Images of so many releases are known, each by its manifest (1.5 KB): a node for each role of a mesh asks for its own. */
const MAX_KNOWN_COUNT = 4;
/** What devices ask of a server. */
const PREFIX = "/api/ota/";
/** What only people ask of it: a sender in radio range cannot reach it through a gateway. */
const ADMIN_PREFIX = "/api/ota/admin";
const CHECK_PATH = "/api/ota/check";
const BUSY_SECONDS = 30;

export type RelayTimer = "relay.request";

interface Queued {
  readonly peer: string;
  readonly id: number;
  readonly request: ExchangeRequest;
}

export interface RelayState {
  readonly server: ServerState;
  /** As many as there are exchanges. The first one is under way if there is an attempt. */
  readonly queue: readonly Queued[];
  readonly isAsking: boolean;
  readonly attempt: number;
  readonly answer: Pick<ExchangeAnswer, "status" | "headers"> | undefined;
  /** The one heard of last comes first. */
  readonly known: readonly CachedImage[];
}

export const initialRelay: RelayState = Object.freeze({
  server: initialServer,
  queue: Object.freeze([]),
  isAsking: false,
  attempt: FIRST_ATTEMPT,
  answer: undefined,
  known: Object.freeze([]),
});

/** Where the gateway stands when it is asked. */
export interface Surroundings {
  /** Its own update server; undefined: it cannot be asked now. */
  readonly server: string | undefined;
  readonly gatewayId: string;
  /** The leader of a system may answer a member itself: its check, above all. */
  readonly member?: ((request: ExchangeRequest, peer: string) => ExchangeAnswer | undefined) | undefined;
  /** Whether an image can be passed on now; otherwise what to say instead. */
  imageAnswer(image: CachedImage): ExchangeAnswer | undefined;
  /** Digests that the gateway has itself: of an image that was sent to it. */
  ownDigests(request: ExchangeRequest): ExchangeAnswer | undefined;
}

export type RelayOutput =
  | RadioEffect
  | TimerEffect<RelayTimer | "radio.exchanges">
  | Extract<Effect, { readonly type: "startRequest" | "collectResponse" | "closeRequest" | "log" }>
  /** A node has been told to listen for this image's blocks; it needs the one with this byte. */
  | {
      readonly type: "imageWanted";
      readonly image: CachedImage;
      readonly offset: number;
      readonly headers: Readonly<Record<string, string>>;
    }
  /** A node has asked something, for the module that keeps a list of nodes. */
  | { readonly type: "memberAsked"; readonly peer: string; readonly request: ExchangeRequest };

type Step = readonly [RelayState, readonly RelayOutput[]];

/** A frame of an exchange has come. */
export function relayFrame(
  state: RelayState,
  { from, bytes }: { readonly from: string; readonly bytes: Uint8Array },
  around: Surroundings,
  at: number,
): Step {
  return withNext(served(state, serveFrame(state.server, from, bytes, at), around), around);
}

/** An event of the relay's own requests or timers; others are ignored. */
export function relayHeard(
  state: RelayState,
  event: Event | { readonly type: "timerFired"; readonly timer: string },
  around: Surroundings,
  at: number,
): Step {
  switch (event.type) {
    case "timerFired":
      if (event.timer === "radio.exchanges")
        return withNext(served(state, sweepExchanges(state.server, at), around), around);
      return event.timer === "relay.request" && state.isAsking
        ? finish(state, problem(504, "the update server is silent"), around)
        : [state, []];
    case "responseStarted":
      return isMine(state, event) ? started(state, event, around) : [state, []];
    case "bytesCollected":
      return isMine(state, event) ? collected(state, event.bytes, around) : [state, []];
    case "responseEnded":
      return isMine(state, event) ? collected(state, NO_BYTES, around) : [state, []];
    case "requestFailed":
      return isMine(state, event) ? finish(state, problem(502, event.message), around) : [state, []];
    default:
      return [state, []];
  }
}

const isMine = ({ isAsking, attempt }: RelayState, event: { readonly attempt: number }): boolean =>
  isAsking && event.attempt === attempt;

/** An image that is known from before, such as the one in the cache. */
export const knowImage = (state: RelayState, image: CachedImage): RelayState => ({
  ...state,
  known: [image, ...state.known.filter(({ id }) => id !== image.id)].slice(0, MAX_KNOWN_COUNT),
});

/** Passes on what the table of exchanges does, and takes what it has taken. */
function served(
  state: RelayState,
  [server, outputs]: readonly [ServerState, readonly ServerOutput[]],
  around: Surroundings,
): Step {
  let next: RelayState = { ...state, server };
  const effects: RelayOutput[] = [];
  for (const output of outputs) {
    if (output.type !== "requestTaken" && output.type !== "requestDropped") {
      effects.push(output);
      continue;
    }
    const request = output.type === "requestTaken" ? readRequest(output.message) : undefined;
    if (request) effects.push({ type: "memberAsked", peer: output.peer, request });
    const [after, more] =
      output.type === "requestTaken" ? taken(next, output, request, around) : dropped(next, output, around);
    next = after;
    effects.push(...more);
  }
  return [next, effects];
}

/** Ends with a call, whose frame replaces its own in XS's stack: what a leader decides about a request is deep enough without it. */
function taken(
  state: RelayState,
  { peer, id }: Extract<ServerOutput, { readonly type: "requestTaken" }>,
  request: ExchangeRequest | undefined,
  around: Surroundings,
): Step {
  return request
    ? answered(state, { peer, id, request }, around)
    : reply(state, peer, id, problem(400, "the request is malformed"), around);
}

function answered(state: RelayState, queued: Queued, around: Surroundings): Step {
  const { peer, id, request } = queued;
  if (!isForDevices(request.target))
    return reply(state, peer, id, problem(404, "a gateway passes on what devices ask"), around);
  const own = around.member?.(request, peer) ?? around.ownDigests(request);
  if (own) return reply(state, peer, id, own, around);
  const image = request.method === "GET" ? knownImage(state, request.target) : undefined;
  if (image) return imageAsked(state, queued, image, around);
  if (around.server === undefined)
    return reply(state, peer, id, problem(503, "the gateway has no network"), around);
  return startNext({ ...state, queue: [...state.queue, queued] }, around);
}

/** As the server resolves it: nothing that leads out of the prefix. */
const isForDevices = (target: string): boolean =>
  (target.startsWith(PREFIX) || target.startsWith(ROOTS_PATH)) &&
  !target.startsWith(ADMIN_PREFIX) &&
  !pathOf(target).includes("..") &&
  !pathOf(target).includes("%") &&
  !target.includes("\\");

const knownImage = ({ known }: RelayState, target: string): CachedImage | undefined =>
  known.find((image) => pathOf(image.target) === pathOf(target));

function imageAsked(
  state: RelayState,
  { peer, id, request }: Queued,
  image: CachedImage,
  around: Surroundings,
): Step {
  const refusal = around.imageAnswer(image);
  if (refusal) return reply(state, peer, id, refusal, around);
  const { size, chunkSize } = image.release;
  const headers = { [BLOCKS_HEADER]: `${image.id} ${size} ${chunkSize}` };
  const [next, outputs] = reply(state, peer, id, { status: 206, headers, body: NO_BYTES }, around);
  const wanted: RelayOutput = {
    type: "imageWanted",
    // as this node asks for it: the query names a device that may have it
    image: { ...image, target: request.target },
    offset: startOf(request.headers.range ?? ""),
    headers: sentHeaders(request, around),
  };
  return [next, [...outputs, wanted]];
}

const startOf = (range: string): number =>
  readDigits(range.slice("bytes=".length).split("-", 1)[0] ?? "") ?? 0;

function sentHeaders(
  { headers }: ExchangeRequest,
  { gatewayId }: Surroundings,
): Readonly<Record<string, string>> {
  const { authorization } = headers;
  return { ...(authorization === undefined ? {} : { authorization }), [GATEWAY_HEADER]: gatewayId };
}

// ── the update server

/** A request may have waited for the room that a node has just left. */
function withNext([state, outputs]: Step, around: Surroundings): Step {
  const [next, begun] = startNext(state, around);
  return begun.length > 0 ? [next, [...outputs, ...begun]] : [next, outputs];
}

function startNext(state: RelayState, around: Surroundings): Step {
  const [first] = state.queue;
  if (!first || state.isAsking || !hasRoomForAnswer(state.server)) return [state, []];
  if (around.server === undefined)
    return finish({ ...state, isAsking: true }, problem(503, "the gateway has no network"), around);
  const attempt = state.attempt - 2;
  const { method, target, headers, body } = first.request;
  const request = {
    method,
    url: `${around.server}${target}`,
    headers: { ...headers, [GATEWAY_HEADER]: around.gatewayId },
    ...(method === "POST" ? { body } : {}),
  };
  return [
    { ...state, attempt, isAsking: true, answer: undefined },
    [
      { type: "startRequest", attempt, request },
      { type: "setTimer", timer: "relay.request", delayMs: TIMEOUT_MS },
    ],
  ];
}

function started(
  state: RelayState,
  { status, headers }: Extract<Event, { readonly type: "responseStarted" }>,
  around: Surroundings,
): Step {
  const sizeBytes = announcedBytes(headers) ?? MAX_BODY_BYTES;
  if (sizeBytes > MAX_BODY_BYTES) {
    // an image that no check through this gateway was offered: the node learns of it by its next one
    const message = `the answer has ${sizeBytes} bytes, a gateway passes on ${MAX_BODY_BYTES}`;
    return finish(state, problem(503, message, BUSY_SECONDS), around);
  }
  if (status === 204 || status === 304 || sizeBytes === 0)
    return finish(state, { status, headers, body: NO_BYTES }, around);
  const { attempt } = state;
  return [
    { ...state, answer: { status, headers } },
    [{ type: "collectResponse", attempt, maxBytes: sizeBytes, as: "bytes" }],
  ];
}

function collected(state: RelayState, body: Uint8Array, around: Surroundings): Step {
  const { answer, queue } = state;
  if (!answer) return finish(state, problem(502, "the answer ended early"), around);
  const announced = announcedBytes(answer.headers);
  if (announced !== undefined && body.length < announced)
    return finish(state, problem(502, "the answer ended early"), around);
  const isOffer =
    queue[0]?.request.target === CHECK_PATH && answer.status === 200 && announcedOffer(answer.headers);
  return finish(isOffer ? learn(state, body) : state, { ...answer, body }, around);
}

/** The offer is the node's; the gateway only remembers what an image is made of. */
function learn(state: RelayState, body: Uint8Array): RelayState {
  const text = utf8Decode(body);
  const answer = text === undefined ? undefined : readCheckAnswer(text);
  const image = answer && offeredImage(answer);
  return image ? knowImage(state, image) : state;
}

/** The request under way is over: its node gets this, and the next one begins. */
function finish(state: RelayState, answer: ExchangeAnswer, around: Surroundings): Step {
  const [first, ...queue] = state.queue;
  const closing: readonly RelayOutput[] = [
    { type: "clearTimer", timer: "relay.request" },
    { type: "closeRequest", attempt: state.attempt },
  ];
  const idle: RelayState = { ...state, queue, isAsking: false, answer: undefined };
  if (!first) return [idle, closing];
  const [next, outputs] = reply(idle, first.peer, first.id, answer, around);
  return [next, [...closing, ...outputs]];
}

function dropped(
  state: RelayState,
  { peer, id }: Extract<ServerOutput, { readonly type: "requestDropped" }>,
  around: Surroundings,
): Step {
  const isFirst = state.queue[0]?.peer === peer && state.queue[0].id === id;
  if (state.isAsking && isFirst) return finish(state, problem(499, "the node has gone"), around);
  return [{ ...state, queue: state.queue.filter((one) => one.peer !== peer || one.id !== id) }, []];
}

function reply(
  state: RelayState,
  peer: string,
  id: number,
  answer: ExchangeAnswer,
  around: Surroundings,
): Step {
  const message = writeAnswer(answer) ?? writeAnswer(problem(502, "the answer is too long for the radio"));
  if (!message) return [state, []];
  const [server, outputs] = answerExchange(state.server, peer, id, message);
  const [next, sent] = served({ ...state, server }, [server, outputs], around);
  const [after, begun] = startNext(next, around);
  return [after, [...sent, ...begun]];
}

const NO_BYTES = new Uint8Array(0);
