// The network of a device without one: in place of a Wi-Fi network there is a gateway in range, in place of HTTP there are exchanges with it,
// and an image comes in blocks. Core's effects on its network come in, and what core would hear of a network goes out, so that core is the
// same on every device. Decides nothing about updates. The gateway asks the update server, whose name the device knows and cannot reach.
//
//   joinWifi ──────► gateway-search ──────► wifiJoined, wifiLost
//   startRequest ──► exchange-client ─┬───► responseStarted … bytesCollected, textCollected, responseEnded, requestFailed
//                                     └ the answer names an image ─► receiveBlocks ─► chunkProgress, chunkStored
//
// One exchange at a time; the requests behind it wait. Nothing is lost when the gateway is: what waits fails, as with a network.

import { readDigits } from "../digits.js";
import type { Effect, HttpRequest, TimerEffect } from "../effect.js";
import type { Event, Stamp } from "../event.js";
import { originOf, readAddress } from "../http/address.js";
import { isPart } from "./block-frames.js";
import type { BlockOrder } from "./block-receiver.js";
import type { BlockNews } from "./block-vocabulary.js";
import {
  type ClientEffect,
  type ClientState,
  type ClientTimer,
  cancelExchange,
  exchangeAlive,
  exchangeFrame,
  exchangeSent,
  exchangeTimer,
  idleClient,
  startExchange,
} from "./exchange-client.js";
import { isExchangeFrame } from "./exchange-frames.js";
import { readAnswer, writeRequest } from "./exchange-message.js";
import {
  isSilent,
  newSearch,
  type SearchOutput,
  type SearchState,
  type SearchTimer,
  searchDoubt,
  searchFailed,
  searchHeard,
  searchTimer,
  startSearch,
} from "./gateway-search.js";
import { askAnswer, nextOfAnswer, type OpenAnswer, openAnswer } from "./link-answer.js";
import {
  type Arriving,
  arrivingFrom,
  type BlockImage,
  imageOf,
  isChunkStored,
  noteStored,
} from "./link-image.js";
import { provedBy, refusalTold } from "./radio-health.js";
import type { RadioEffect, RadioEvent } from "./vocabulary.js";

/** Core has two at once: of its update, and of its reports. An app may have as many. */
const MAX_REQUEST_COUNT = 4;

/**
 * While the gateway broadcasts an image nobody asks for anything else, because the air is everybody's: a request waits until no part was heard for
 * so long …
 */
const PAUSE_MS = 1_000;
/** … and then for a random part of this, because many wait; … */
const SPREAD_MS = 3_000;
/** … but not longer than this in all: who asks gives up after 15 s. */
const MAX_PAUSE_MS = 10_000;
/** A request waits while the gateway does not answer whether it is there: so long until the next look. */
const SILENT_TURN_MS = 1_500;
/** Between two notes of when a part was heard. */
const NOTE_MS = 250;

export type LinkTimer = ClientTimer | SearchTimer | "radio.turn";
export const LINK_TIMERS: readonly string[] = Object.freeze([
  "radio.exchange",
  "radio.seek",
  "radio.turn",
] satisfies LinkTimer[]);

/** Bytes have come into the slot by another way than an answer; the next chunk may be there. */
type ChunkEvent = { readonly type: "chunkProgress" | "chunkStored"; readonly attempt: number };
/** What core hears. */
export type LinkEvent = Event | ChunkEvent;

/** To the receiver of blocks: instead of what it was to receive before. */
type BlockRequest =
  | { readonly type: "receiveBlocks"; readonly order: BlockOrder }
  | { readonly type: "stopBlocks" };

interface Waiting {
  readonly attempt: number;
  readonly target: string;
  /** The first byte that is asked for. */
  readonly start: number;
  /** Its answer may come in blocks. */
  readonly isDownload: boolean;
  readonly message: Uint8Array;
  /** When core asked for it. */
  readonly sinceMs: number;
}

export interface LinkState {
  readonly search: SearchState;
  readonly client: ClientState;
  /** Of joinWifi; 0: core has not asked for its network. */
  readonly joinAttempt: number;
  /** The first one is under way. */
  readonly waiting: readonly Waiting[];
  readonly answers: readonly OpenAnswer[];
  /** The image that the gateway has told of last, and the target that it was asked for. */
  readonly image: (BlockImage & { readonly target: string }) | undefined;
  readonly arriving: Arriving | undefined;
  /** Core's request for a chunk, and where that begins. */
  readonly asked: { readonly attempt: number; readonly start: number } | undefined;
  /** When a part of an image was heard last, to NOTE_MS. */
  readonly partMs: number;
  /** Of the last order of blocks. */
  readonly blockAttempt: number;
  /** What core has not heard yet. */
  readonly events: readonly LinkEvent[];
}

/** `group`: see beacon.ts; `stored`: what NVS has of its gateway. */
export const newLink = (group: number, stored: string | undefined): LinkState => ({
  search: newSearch(group, stored),
  client: idleClient,
  joinAttempt: 0,
  waiting: NONE,
  answers: NONE,
  image: undefined,
  arriving: undefined,
  asked: undefined,
  partMs: -PAUSE_MS,
  blockAttempt: FIRST_BLOCK_ATTEMPT,
  events: NONE,
});

/** Orders count down from here: core's attempts are positive. */
const FIRST_BLOCK_ATTEMPT = -1;
const NONE: readonly never[] = Object.freeze([]);

export type LinkOutput =
  | RadioEffect
  | Extract<SearchOutput, { readonly type: "setTimer" | "clearTimer" | "store" | "log" }>
  | Extract<ClientEffect, { readonly type: "setTimer" | "clearTimer" }>
  | TimerEffect<"radio.turn">
  | BlockRequest;

type Step = readonly [LinkState, readonly LinkOutput[]];

// ── what core asks for

/** The effects that a device without a network does not carry out as others do. */
export const isTransport = ({ type }: { readonly type: string }): boolean => TRANSPORT.includes(type);
const TRANSPORT: readonly string[] = Object.freeze([
  "joinWifi",
  "leaveWifi",
  "startAccessPoint",
  "stopAccessPoint",
  "scanWifi",
  "startRequest",
  "readResponse",
  "collectResponse",
  "closeRequest",
  "startServer",
  "stopServer",
  "startPush",
  "announce",
  "withdraw",
] satisfies Effect["type"][]);

/** `server`: the update server of this device; the gateway asks its own. */
export function linkEffect(state: LinkState, effect: Effect, server: string, stamp: Stamp): Step {
  switch (effect.type) {
    case "joinWifi": {
      const [search, outputs] = startSearch(state.search, stamp);
      return found({ ...state, search, joinAttempt: effect.attempt }, outputs);
    }
    case "scanWifi":
      return [told(state, { type: "scanCompleted", attempt: effect.attempt, networks: [] }), []];
    case "startRequest":
      return requested(state, effect, server, stamp);
    case "readResponse":
    case "collectResponse":
      return [
        {
          ...state,
          answers: state.answers.map((open) =>
            open.attempt === effect.attempt ? askAnswer(open, effect) : open,
          ),
        },
        [],
      ];
    case "closeRequest":
      return closed(state, effect.attempt, stamp);
    default:
      return [state, []]; // it has no pages, no setup network and no name
  }
}

function requested(
  state: LinkState,
  { attempt, request }: Extract<Effect, { readonly type: "startRequest" }>,
  server: string,
  stamp: Stamp,
): Step {
  if (state.search.phase !== "linked") return [failed(state, attempt, "no gateway is in range"), []];
  const read = readAddress(request.url);
  if (!read.ok) return [failed(state, attempt, read.failure.message), []];
  if (originOf(request.url) !== originOf(server))
    return [failed(state, attempt, `a gateway leads to ${server} only, not to ${originOf(request.url)}`), []];
  if (state.waiting.length >= MAX_REQUEST_COUNT)
    return [failed(state, attempt, "too many requests at once"), []];
  const target = read.value.path;
  const start = startOf(request);
  // the gateway has told that it comes in blocks: there is nothing to ask. But it has to know of a chunk that came out wrong.
  if (state.image?.target === target && start !== state.arriving?.toldStart)
    return chunkAsked(state, attempt, start);
  const message = writeRequest({
    method: request.method,
    target,
    headers: request.headers,
    body: request.body ?? "",
  });
  if (!message) return [failed(state, attempt, "the request is too long for the radio"), []];
  const isDownload = request.method === "GET" && attempt > 0;
  const waiting = [...state.waiting, { attempt, target, start, isDownload, message, sinceMs: stamp.at }];
  return waiting.length > 1 ? [{ ...state, waiting }, []] : startNext({ ...state, waiting }, stamp);
}

/** Of `bytes=0-99`; without one, 0. */
const startOf = ({ headers: { range = "" } }: HttpRequest): number =>
  readDigits(range.slice(RANGE_UNIT.length).split("-", 1)[0] ?? "") ?? 0;
const RANGE_UNIT = "bytes=";

function closed(state: LinkState, attempt: number, stamp: Stamp): Step {
  const answers = state.answers.filter((open) => open.attempt !== attempt);
  const events = state.events.filter(
    (event) => !("attempt" in event) || event.attempt !== attempt || isOfNetwork(event),
  );
  const [first] = state.waiting;
  const waiting = state.waiting.filter((one) => one.attempt !== attempt);
  const next: LinkState = { ...state, answers, events, waiting };
  const [parted, stop] = state.asked?.attempt === attempt ? stopBlocks(next) : ([next, NONE] as const);
  if (first?.attempt !== attempt) return [parted, stop];
  const [client, cancelled] = cancelExchange(state.client);
  const [after, outputs] = startNext({ ...parted, client }, stamp);
  return [after, [...stop, ...cancelled.filter(isOutput), ...outputs]];
}

/** Its attempts are counted apart from those of requests. */
const isOfNetwork = ({ type }: LinkEvent): boolean =>
  type === "wifiJoined" || type === "wifiLost" || type === "scanCompleted";

function startNext(state: LinkState, stamp: Stamp): Step {
  const [first] = state.waiting;
  if (!first || state.client.phase !== "idle") return [state, []];
  const { at, random } = stamp;
  if (at - state.partMs < PAUSE_MS && at - first.sinceMs < MAX_PAUSE_MS) {
    const delayMs = PAUSE_MS + Math.round(random * SPREAD_MS);
    return [state, [{ type: "setTimer", timer: "radio.turn", delayMs }]];
  }
  if (isSilent(state.search, at))
    return [state, [{ type: "setTimer", timer: "radio.turn", delayMs: SILENT_TURN_MS }]];
  const [client, effects] = startExchange(state.client, state.search.gateway, first.message, stamp);
  return [{ ...state, client }, effects.filter(isOutput)];
}

const isOutput = (effect: ClientEffect): effect is ClientEffect & LinkOutput =>
  effect.type !== "exchangeAnswered" && effect.type !== "exchangeFailed";

// ── what the radio says

/** An event of the radio, or of one of LINK_TIMERS. */
export function linkHeard(
  state: LinkState,
  event: RadioEvent | { readonly type: "timerFired"; readonly timer: string },
  stamp: Stamp,
): Step {
  switch (event.type) {
    case "frameReceived": {
      const [search, outputs] = searchHeard(state.search, event, stamp);
      const isSame = search === state.search && outputs.length === 0;
      const [linked, before] = isSame ? ([state, NONE] as const) : found({ ...state, search }, outputs);
      const noted = partNoted(linked, event, stamp.at);
      const [next, woken] = advanced(noted, exchangeAlive(noted.client, event.from, stamp), stamp);
      if (!isExchangeFrame(event.bytes)) return [next, woken.length === 0 ? before : [...before, ...woken]];
      const exchange = exchangeFrame(next.client, event.from, event.bytes, stamp);
      const [after, effects] = advanced(next, exchange, stamp);
      return [after, [...before, ...woken, ...effects]];
    }
    case "frameSent":
      return advanced(proved(state, event), exchangeSent(state.client, event, stamp), stamp);
    case "timerFired": {
      if (event.timer === "radio.exchange") return advanced(state, exchangeTimer(state.client, stamp), stamp);
      if (event.timer === "radio.turn") return startNext(state, stamp);
      if (event.timer !== "radio.seek") return [state, []];
      const [search, outputs] = searchTimer(state.search, stamp);
      return found({ ...state, search }, outputs);
    }
    case "radioFailed": {
      const step = searchFailed(state.search, stamp);
      if (step) return found({ ...state, search: step[0] }, step[1]);
      const { radio } = state.search;
      return [{ ...state, search: { ...state.search, radio: "down" } }, refusalTold(radio, event)];
    }
    case "framesDropped":
      return [state, []];
  }
}

function proved(state: LinkState, event: Extract<RadioEvent, { readonly type: "frameSent" }>): LinkState {
  const radio = provedBy(state.search.radio, event);
  return radio === state.search.radio ? state : { ...state, search: { ...state.search, radio } };
}

function partNoted(
  state: LinkState,
  { from, bytes }: { readonly from: string; readonly bytes: Uint8Array },
  at: number,
): LinkState {
  const isNews = at - state.partMs >= NOTE_MS && from === state.search.gateway && isPart(bytes);
  return isNews ? { ...state, partMs: at } : state;
}

/** Passes on what the search says, and tells core of it. */
function found(state: LinkState, outputs: readonly SearchOutput[]): Step {
  let next = state;
  const effects: LinkOutput[] = [];
  for (const output of outputs) {
    if (output.type === "gatewayFound") {
      const { gateway: address, rssi } = output;
      next = told(next, { type: "wifiJoined", attempt: next.joinAttempt, address, rssi });
    } else if (output.type === "gatewayLost") {
      const [parted, stop] = part(next);
      next = parted;
      effects.push(...stop);
    } else effects.push(output);
  }
  return [next, effects];
}

function part(state: LinkState): Step {
  const [client, cancelled] = cancelExchange(state.client);
  const [stopped, stop] = stopBlocks({ ...state, client, waiting: NONE, image: undefined });
  let next = stopped;
  for (const { attempt } of state.waiting) next = failed(next, attempt, GONE);
  if (state.asked) next = failed(next, state.asked.attempt, GONE);
  next = told(next, { type: "wifiLost", attempt: state.joinAttempt, reason: "lost" });
  return [next, [...cancelled.filter(isOutput), ...stop]];
}

const GONE = "the gateway is gone";

/** Passes on what the exchange does; when it is over, the next one begins. */
function advanced(
  state: LinkState,
  [client, effects]: readonly [ClientState, readonly ClientEffect[]],
  stamp: Stamp,
): Step {
  if (client === state.client) return [state, effects.filter(isOutput)];
  const outputs: LinkOutput[] = effects.filter(isOutput);
  const end = effects.find((effect) => !isOutput(effect));
  const next: LinkState = { ...state, client };
  const [first, ...waiting] = state.waiting;
  if (!end || !first) return [next, outputs];
  const [after, more] =
    end.type === "exchangeAnswered"
      ? answered({ ...next, waiting }, first, end.message)
      : doubted(failed({ ...next, waiting }, first.attempt, textOf(end)), stamp);
  const [last, begun] = startNext(after, stamp);
  return [last, [...outputs, ...more, ...begun]];
}

const textOf = (end: ClientEffect): string => (end.type === "exchangeFailed" ? end.message : "");

function doubted(state: LinkState, stamp: Stamp): Step {
  const [search, outputs] = searchDoubt(state.search, stamp.at);
  return found({ ...state, search }, outputs);
}

function answered(state: LinkState, asked: Waiting, message: Uint8Array): Step {
  const answer = readAnswer(message);
  if (!answer) return [failed(state, asked.attempt, "the answer of the gateway is malformed"), []];
  const image = imageOf(answer);
  // the sender of an answer may be anybody: what comes in blocks goes into the slot, also where nothing was to be downloaded
  if (image && !asked.isDownload)
    return [failed(state, asked.attempt, "the gateway offers blocks of what is no image"), []];
  if (image)
    return chunkAsked({ ...state, image: { ...image, target: asked.target } }, asked.attempt, asked.start);
  return [{ ...state, answers: [...state.answers, openAnswer(asked.attempt, answer)] }, []];
}

// ── an image in blocks

/** Core asks for a chunk, which may be on its way, or there, already. */
function chunkAsked(state: LinkState, attempt: number, start: number): Step {
  const { image, arriving } = state;
  if (!image || start % image.chunkBytes !== 0 || start >= image.imageBytes) {
    const [stopped, stop] = stopBlocks({ ...state, image: undefined });
    return [failed(stopped, attempt, `no chunk begins at byte ${start}`), stop];
  }
  const asked = { attempt, start };
  const isOnItsWay = arriving && start >= arriving.start && start !== arriving.toldStart;
  if (isOnItsWay) return [tellStored({ ...state, asked }), []];
  const blockAttempt = state.blockAttempt - 1;
  const fresh = arrivingFrom(blockAttempt, start, image, arriving);
  const { id, imageBytes } = image;
  const order: BlockOrder = {
    attempt: blockAttempt,
    gateway: state.search.gateway,
    id,
    imageBytes,
    start,
    // all of it: what core asks for next is in the air already
    end: imageBytes,
    stored: fresh.blocks,
  };
  return [{ ...state, asked, arriving: fresh, blockAttempt }, [{ type: "receiveBlocks", order }]];
}

/** Tells core that the chunk it has asked for is stored, if it is. */
function tellStored(state: LinkState): LinkState {
  const { asked, arriving, image } = state;
  if (!asked || !arriving || !image || !isChunkStored(arriving, image, asked.start)) return state;
  const next: LinkState = { ...state, asked: undefined, arriving: { ...arriving, toldStart: asked.start } };
  return told(next, { type: "chunkStored", attempt: asked.attempt });
}

/** What the receiver of blocks says. */
export function linkBlocks(state: LinkState, report: BlockNews): LinkState {
  const { arriving, asked } = state;
  if (report.attempt !== arriving?.attempt) return state;
  switch (report.type) {
    case "blockProgress":
      return asked ? told(state, { type: "chunkProgress", attempt: asked.attempt }) : state;
    case "blockStored":
      noteStored(arriving, report.offset);
      return tellStored(state);
    case "blocksFailed": {
      const next: LinkState = { ...state, image: undefined, arriving: undefined, asked: undefined };
      return asked ? failed(next, asked.attempt, report.message) : next;
    }
    default:
      return state;
  }
}

/** Nothing of what is on its way may come into the slot any more: core has given up, or uses the slot for something else. */
export function stopBlocks(state: LinkState): Step {
  if (!state.arriving) return [state.asked ? { ...state, asked: undefined } : state, NONE];
  return [{ ...state, arriving: undefined, asked: undefined, image: undefined }, [{ type: "stopBlocks" }]];
}

// ── what core hears

const told = (state: LinkState, event: LinkEvent): LinkState => ({
  ...state,
  events: [...state.events, event],
});

const failed = (state: LinkState, attempt: number, message: string): LinkState =>
  told(state, { type: "requestFailed", attempt, message });

/** The next event for core, which hears one at a time: it may ask for something else in between. */
export function nextOfLink(state: LinkState): readonly [LinkState, LinkEvent | undefined] {
  if (state.events.length === 0 && state.answers.length === 0) return [state, undefined];
  const [first, ...events] = state.events;
  if (first) return [{ ...state, events }, first];
  for (const open of state.answers) {
    const [next, event] = nextOfAnswer(open);
    if (!event) continue;
    const answers = state.answers.flatMap((one) => (one === open ? (next ? [next] : []) : [one]));
    return [{ ...state, answers }, event];
  }
  return [state, undefined];
}
