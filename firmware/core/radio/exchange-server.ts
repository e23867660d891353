// The gateway's side of exchanges: takes the requests of its nodes out of frames, one at a time of each node, and gives the answers out in
// fragments as they are pulled. A bounded table holds them; a client that finds it full is asked to come back. It repeats nothing by itself: a node
// that has gone is forgotten. What the messages say is not known here, nor who may ask what (gateway/relay.ts).
//
//   ─ ask ─► asking ─ last fragment ─► taken ─ answerExchange ─► answering ─ done ─► gone
//               └───────── silence ──────┴───────────────────────────┴─────────────► gone
//
// Memory: 4 exchanges. Their requests and answers are 16 KiB together at most; a node beyond them costs nothing.

import type { TimerEffect } from "../effect.js";
import {
  type Assembly,
  allFragments,
  assemble,
  assembled,
  FRAGMENT_BYTES,
  type Fragment,
  type FragmentSet,
  fragmentCount,
  fragmentsOf,
  newAssembly,
  readExchangeFrame,
  writeExchangeFrame,
} from "./exchange-frames.js";
import { MAX_EXCHANGE_BYTES } from "./exchange-message.js";
import type { RadioEffect } from "./vocabulary.js";

const MAX_EXCHANGE_COUNT = 4;
const MAX_HELD_BYTES = 16 * 1024;
/** Exchanges that are over, whose frames may still be on their way: they must not be carried out again. */
const MAX_ENDED_COUNT = 8;
/** Silence after which a node counts as gone; of a request that waits for the server, its node asks every second or two. */
const SILENCE_MS = 12_000;
const SWEEP_MS = 4_000;
const MAX_BUSY_SECONDS = 10;
/** Refusals for which the nodes are asked to wait a second longer. */
const REFUSALS_A_SECOND = 4;

export type ServerTimer = "radio.exchanges";

interface Exchange {
  readonly peer: string;
  readonly id: number;
  readonly phase: "asking" | "taken" | "answering";
  readonly request: Assembly | undefined;
  readonly requestCount: number;
  readonly answer: Uint8Array | undefined;
  readonly heardMs: number;
}

export interface ServerState {
  readonly exchanges: readonly Exchange[];
  readonly ended: readonly { readonly peer: string; readonly id: number }[];
  /** Since the table last had a place. */
  readonly refusedCount: number;
}

export const initialServer: ServerState = Object.freeze({
  exchanges: Object.freeze([]),
  ended: Object.freeze([]),
  refusedCount: 0,
});

export type ServerOutput =
  | RadioEffect
  | TimerEffect<ServerTimer>
  | {
      readonly type: "requestTaken";
      readonly peer: string;
      readonly id: number;
      readonly message: Uint8Array;
    }
  /** Its node has gone, or asks for something else: nobody waits for the answer. */
  | { readonly type: "requestDropped"; readonly peer: string; readonly id: number };

type Step = readonly [ServerState, readonly ServerOutput[]];

/** A frame of an exchange has come; see isExchangeFrame. */
export function serveFrame(state: ServerState, from: string, bytes: Uint8Array, at: number): Step {
  const frame = readExchangeFrame(bytes);
  if (!frame) return [state, []];
  const found = state.exchanges.find(({ peer, id }) => peer === from && id === frame.id);
  switch (frame.type) {
    case "ask":
      return found ? asked(state, found, frame, at) : begun(state, from, frame, at);
    case "pull":
      if (!found) return [state, [send(from, { type: "unknown", id: frame.id })]];
      return pulled(put(state, { ...found, heardMs: at }), found, frame.fragments);
    case "done":
      return found ? end(state, found) : [state, []];
    default:
      return [state, []];
  }
}

/** Its timer has fired: nodes that have gone are forgotten. */
export function sweepExchanges(state: ServerState, at: number): Step {
  let next = state;
  const outputs: ServerOutput[] = [];
  for (const exchange of state.exchanges) {
    if (at - exchange.heardMs < SILENCE_MS) continue;
    const [after, dropped] = end(next, exchange);
    next = after;
    outputs.push(...dropped);
  }
  return [next, next.exchanges.length > 0 ? [...outputs, SWEEP] : outputs];
}

/** The answer to a request; without effect if nobody waits for it any more. At most MAX_EXCHANGE_BYTES. */
export function answerExchange(state: ServerState, to: string, number: number, answer: Uint8Array): Step {
  const found = state.exchanges.find(({ peer, id }) => peer === to && id === number);
  if (found?.phase !== "taken") return [state, []];
  const answering: Exchange = { ...found, phase: "answering", answer };
  return [put(state, answering), give(answering, 0)];
}

/** Whether the longest answer may be held beside what is held already. */
export const hasRoomForAnswer = (state: ServerState): boolean =>
  heldBytes(state) + MAX_EXCHANGE_BYTES <= MAX_HELD_BYTES;

function heldBytes({ exchanges }: ServerState): number {
  let sum = 0;
  for (const { request, answer } of exchanges) sum += (request?.buffer.length ?? 0) + (answer?.length ?? 0);
  return sum;
}

function begun(state: ServerState, peer: string, fragment: Fragment, at: number): Step {
  const { id, count } = fragment;
  if (state.ended.some((one) => one.peer === peer && one.id === id)) return [state, []];
  // a node has one request: whatever it asked before, it no longer waits for
  const older = state.exchanges.find((one) => one.peer === peer);
  const [free, dropped] = older ? end(state, older) : ([state, []] as const);
  const isFull =
    free.exchanges.length >= MAX_EXCHANGE_COUNT || heldBytes(free) + count * FRAGMENT_BYTES > MAX_HELD_BYTES;
  if (isFull) {
    const [after, refusal] = fragment.isLast ? refuse(free, peer, id) : ([free, []] as const);
    return [after, [...dropped, ...refusal]];
  }
  const exchange: Exchange = {
    peer,
    id,
    phase: "asking",
    request: newAssembly(count),
    requestCount: count,
    answer: undefined,
    heardMs: at,
  };
  const isFirst = free.exchanges.length === 0;
  const admitted = {
    ...free,
    exchanges: [...free.exchanges, exchange],
    refusedCount: Math.max(0, free.refusedCount - 1),
  };
  const [next, outputs] = asked(admitted, exchange, fragment, at);
  return [next, [...dropped, ...(isFirst ? [SWEEP] : []), ...outputs]];
}

function refuse(state: ServerState, peer: string, id: number): Step {
  const refusedCount = state.refusedCount + 1;
  const seconds = Math.min(MAX_BUSY_SECONDS, 1 + Math.floor(refusedCount / REFUSALS_A_SECOND));
  const most = MAX_BUSY_SECONDS * REFUSALS_A_SECOND;
  return [
    { ...state, refusedCount: Math.min(most, refusedCount) },
    [send(peer, { type: "busy", id, seconds })],
  ];
}

function asked(state: ServerState, exchange: Exchange, fragment: Fragment, at: number): Step {
  const { peer, id } = exchange;
  if (!exchange.request)
    return [put(state, { ...exchange, heardMs: at }), fragment.isLast ? [have(exchange)] : []];
  const request = assemble(exchange.request, fragment);
  const message = assembled(request);
  if (!message) {
    const next = { ...exchange, request, heardMs: at };
    return [put(state, next), fragment.isLast ? [have(next)] : []];
  }
  // the message goes to the module that answers it, and is held here no longer
  const taken: Exchange = { ...exchange, phase: "taken", request: undefined, heardMs: at };
  return [put(state, taken), [have(taken), { type: "requestTaken", peer, id, message }]];
}

function pulled(state: ServerState, exchange: Exchange, there: FragmentSet): Step {
  return [state, exchange.phase === "answering" ? give(exchange, there) : [have(exchange)]];
}

function give({ peer, id, answer }: Exchange, there: FragmentSet): readonly ServerOutput[] {
  if (!answer || there >= allFragments(fragmentCount(answer.length))) return [];
  return fragmentsOf("give", id, answer, there).map((bytes) => frameTo(peer, bytes));
}

const have = ({ peer, id, request, requestCount }: Exchange): ServerOutput =>
  send(peer, { type: "have", id, fragments: request?.there ?? allFragments(requestCount) });

function end(state: ServerState, exchange: Exchange): Step {
  const { peer, id, phase } = exchange;
  const exchanges = state.exchanges.filter((one) => one.peer !== peer || one.id !== id);
  const ended = [...state.ended, { peer, id }].slice(-MAX_ENDED_COUNT);
  return [{ ...state, exchanges, ended }, phase === "taken" ? [{ type: "requestDropped", peer, id }] : []];
}

const put = (state: ServerState, exchange: Exchange): ServerState => ({
  ...state,
  exchanges: state.exchanges.map((one) =>
    one.peer === exchange.peer && one.id === exchange.id ? exchange : one,
  ),
});

const SWEEP: ServerOutput = Object.freeze({ type: "setTimer", timer: "radio.exchanges", delayMs: SWEEP_MS });

const send = (to: string, frame: Parameters<typeof writeExchangeFrame>[0]): ServerOutput =>
  frameTo(to, writeExchangeFrame(frame));

/** Nothing waits for `frameSent`: what matters is what the node says. */
const frameTo = (to: string, bytes: Uint8Array): RadioEffect => ({ type: "sendFrame", frame: 0, to, bytes });
