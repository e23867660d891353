// The device's side of an exchange with its gateway: sends a request, waits for what becomes of it, fetches the answer. One at a time. It alone
// repeats what was lost; the gateway only answers, so that many devices cost it no timers. Listens to its gateway's address and to the
// number of its own exchange, to nothing else. What the messages say is not known here.
//
// A frame that nobody acknowledges is seven in the air. When that has happened to a few, the gateway is not there: the next try waits until
// something is heard of it, or for a good while.
//
//   idle ─ start ─► asking ─ gateway has all of it ─► awaiting ─ first fragment ─► receiving ─ last one ─► idle, answered
//                     ▲ └──────── busy: after a pause, from the first fragment on ◄────┤          │
//                     └────────── unknown: the gateway has restarted ◄─────────────────┴──────────┘

import { backoffMs } from "../backoff.js";
import type { TimerEffect } from "../effect.js";
import type { Stamp } from "../event.js";
import {
  type Assembly,
  allFragments,
  assemble,
  assembled,
  type Fragment,
  type FragmentSet,
  fragmentCount,
  fragmentsOf,
  hasFragment,
  newAssembly,
  readExchangeFrame,
  WINDOW,
  writeExchangeFrame,
} from "./exchange-frames.js";
import type { RadioEffect } from "./vocabulary.js";

/** Tries in a row without a sign of the gateway. With 40 % of all frames lost, one exchange in 10 000 ends for that. */
const MAX_TRIES = 20;
/** From when the last frame has left: a crowded air only becomes more crowded by impatience. */
const RETRY = Object.freeze({ firstMs: 120, maximumMs: 2_000 });
/** A frame that has not left by then never will. */
const UNSENT_MS = 4_000;
/**
 * Consecutive unacknowledged frames after which the gateway counts as gone. At 40 % loss a gateway that is there is taken for gone about
 * once in 50 000 times.
 */
const DEAF_COUNT = 3;
/** The next try then, unless the gateway is heard before. */
const DEAF_MS = 10_000;
/** Many devices hear it at once. */
const HEARD_MS = 1_000;
/** How often a gateway is asked whether its server has answered. */
const PATIENCE = Object.freeze({ firstMs: 250, maximumMs: 1_500 });
/** Whatever asked gives up long before. */
const MAX_MS = 60_000;
/** The longest pause that a gateway may ask for. */
const MAX_BUSY_SECONDS = 30;

export type ClientTimer = "radio.exchange";

export interface ClientState {
  readonly phase: "idle" | "asking" | "awaiting" | "receiving";
  /** 0 to 2^32 - 1; of another number than those before. */
  readonly id: number;
  readonly gateway: string;
  readonly request: Uint8Array;
  /** What the gateway has of it. */
  readonly there: FragmentSet;
  readonly answer: Assembly | undefined;
  readonly tryCount: number;
  readonly busyCount: number;
  /** Frames in a row that nobody has acknowledged. */
  readonly deafCount: number;
  /** Of the last frame that was sent. */
  readonly frame: number;
  readonly untilMs: number;
}

const NO_BYTES = new Uint8Array(0);
/** Numbers of frames that are waited for: from here up, and from here again. */
const FIRST_FRAME = 1;
const LAST_FRAME = 1_000;

export const idleClient: ClientState = Object.freeze({
  phase: "idle",
  id: 0,
  gateway: "",
  request: NO_BYTES,
  there: 0,
  answer: undefined,
  tryCount: 0,
  busyCount: 0,
  deafCount: 0,
  frame: FIRST_FRAME,
  untilMs: 0,
});

/** How an exchange ended. */
export type ExchangeEnd =
  | { readonly type: "exchangeAnswered"; readonly message: Uint8Array }
  | { readonly type: "exchangeFailed"; readonly message: string };

export type ClientEffect = RadioEffect | TimerEffect<ClientTimer> | ExchangeEnd;
type Step = readonly [ClientState, readonly ClientEffect[]];

const STOP: ClientEffect = Object.freeze({ type: "clearTimer", timer: "radio.exchange" });

/** Begins an exchange; one that is under way is given up. `request` is 1 to MAX_EXCHANGE_BYTES bytes. */
export function startExchange(
  { id, frame }: ClientState,
  gateway: string,
  request: Uint8Array,
  { at, random }: Stamp,
): Step {
  // a boot begins anywhere, so that the gateway takes nothing of it for a repetition
  const next = id === 0 ? 1 + Math.floor(random * 0xffff_fffe) : idAfter(id);
  return ask({ ...idleClient, frame, phase: "asking", id: next, gateway, request, untilMs: at + MAX_MS });
}

const idAfter = (id: number): number => (id % 0xffff_ffff) + 1;

/** Nobody waits for the answer any more. */
export const cancelExchange = (state: ClientState): Step =>
  state.phase === "idle" ? [state, []] : [ended(state), [STOP, send(state, { type: "done", id: state.id })]];

/** A frame of the exchange has come; see isExchangeFrame. */
export function exchangeFrame(state: ClientState, from: string, bytes: Uint8Array, stamp: Stamp): Step {
  if (state.phase === "idle" || from !== state.gateway) return [state, []];
  const frame = readExchangeFrame(bytes);
  if (!frame || frame.id !== state.id) return [state, []];
  switch (frame.type) {
    case "have":
      return had(state, frame.fragments, stamp.random);
    case "give":
      return given(state, frame, stamp.random);
    case "busy":
      return busy(state, frame.seconds, stamp.random);
    case "unknown":
      return state.tryCount >= MAX_TRIES ? failed(state, LOST) : startOver(state);
    default:
      return [state, []];
  }
}

/** Its timer has fired. */
export function exchangeTimer(state: ClientState, { at }: Stamp): Step {
  if (state.phase === "idle") return [state, []];
  if (at >= state.untilMs) return failed(state, `the gateway has not answered for ${MAX_MS / 1000} s`);
  if (state.tryCount >= MAX_TRIES) return failed(state, `the gateway is silent, asked ${MAX_TRIES} times`);
  const tried = { ...state, tryCount: state.tryCount + 1 };
  return state.phase === "asking" ? ask(tried) : pull(tried);
}

/** Its last frame has left, or never will. */
export function exchangeSent(
  state: ClientState,
  { frame, isAcknowledged }: { readonly frame: number; readonly isAcknowledged: boolean },
  { random }: Stamp,
): Step {
  if (state.phase === "idle" || frame !== state.frame) return [state, []];
  const deafCount = isAcknowledged ? 0 : state.deafCount + 1;
  const policy = state.phase === "awaiting" ? PATIENCE : RETRY;
  const delayMs = deafCount < DEAF_COUNT ? backoffMs(policy, state.tryCount + 1, random) : DEAF_MS;
  return [deafCount === state.deafCount ? state : { ...state, deafCount }, [timer(delayMs)]];
}

/** The gateway was heard, whatever it said: a try that waits for that comes soon. */
export function exchangeAlive(state: ClientState, from: string, { random }: Stamp): Step {
  if (state.deafCount < DEAF_COUNT || state.phase === "idle" || from !== state.gateway) return [state, []];
  return [{ ...state, deafCount: 0 }, [timer(Math.round(HEARD_MS * random))]];
}

function ask(state: ClientState): Step {
  const { id, request, there, tryCount } = state;
  // one frame asks a gateway whether it is there and has a place: many may ask at once
  const isProbe = tryCount > 0 || there === 0;
  return sendAll(state, fragmentsOf("ask", id, request, there, isProbe ? 1 : WINDOW));
}

const pull = (state: ClientState): Step =>
  sendAll(state, [writeExchangeFrame({ type: "pull", id: state.id, fragments: state.answer?.there ?? 0 })]);

function sendAll(state: ClientState, frames: readonly Uint8Array[]): Step {
  const frame = state.frame >= LAST_FRAME ? FIRST_FRAME : state.frame + 1;
  const effects = frames.map((bytes, at) =>
    frameTo(state.gateway, bytes, at === frames.length - 1 ? frame : ANY),
  );
  return [{ ...state, frame }, [...effects, timer(UNSENT_MS)]];
}

function had(state: ClientState, fragments: FragmentSet, random: number): Step {
  const count = fragmentCount(state.request.length);
  const isAll = fragments === allFragments(count);
  if (state.phase === "receiving") return [state, []];
  if (isAll) {
    // asked for already: the gateway is alive, and waits for its server
    if (state.phase === "awaiting") return [{ ...state, tryCount: Math.min(state.tryCount, 3) }, []];
    return [
      { ...state, phase: "awaiting", there: fragments, tryCount: 0, busyCount: 0 },
      [timer(backoffMs(PATIENCE, 1, random))],
    ];
  }
  if (state.phase === "awaiting") return [state, []]; // it was overtaken
  // with nothing new in it, it was overtaken, or the gateway has lost some: what is missing is sent when the timer fires
  if (isWithin(fragments, state.there, count)) return [{ ...state, there: fragments }, []];
  return ask({ ...state, there: fragments, tryCount: 0, busyCount: 0 });
}

function given(state: ClientState, frame: Fragment, random: number): Step {
  const answer = assemble(state.answer ?? newAssembly(frame.count), frame);
  const message = assembled(answer);
  if (message)
    return [
      ended(state),
      [STOP, send(state, { type: "done", id: state.id }), { type: "exchangeAnswered", message }],
    ];
  const next: ClientState = {
    ...state,
    phase: "receiving",
    answer,
    tryCount: answer === state.answer ? state.tryCount : 0,
  };
  return frame.isLast ? pull(next) : [next, [timer(backoffMs(RETRY, 1, random))]];
}

/** The gateway holds as many requests as it can: it is asked again later. It says longer times the more it refuses. */
function busy(state: ClientState, seconds: number, random: number): Step {
  if (state.phase !== "asking") return [state, []];
  const waitMs = Math.min(seconds, MAX_BUSY_SECONDS) * 1_000 * (0.5 + random);
  const next = { ...state, there: 0, tryCount: 0, busyCount: state.busyCount + 1 };
  return [next, [timer(Math.max(Math.round(waitMs), RETRY.firstMs))]];
}

function startOver(state: ClientState): Step {
  if (state.phase === "asking") return [state, []]; // it has not seen this one yet
  const { id, tryCount } = state;
  // of another number: one that it has forgotten on purpose it does not take again
  const fresh: ClientState = { ...state, phase: "asking", id: idAfter(id), there: 0, answer: undefined };
  return ask({ ...fresh, tryCount: tryCount + 1 });
}

const LOST = "the gateway does not know this exchange";

const failed = (state: ClientState, message: string): Step => [
  ended(state),
  [STOP, send(state, { type: "done", id: state.id }), { type: "exchangeFailed", message }],
];

/** Only the number is kept: the next one is another. */
const ended = ({ id, frame }: ClientState): ClientState => ({ ...idleClient, id, frame });

function isWithin(some: FragmentSet, all: FragmentSet, count: number): boolean {
  for (let index = 0; index < count; index++)
    if (hasFragment(some, index) && !hasFragment(all, index)) return false;
  return true;
}

const timer = (delayMs: number): ClientEffect => ({ type: "setTimer", timer: "radio.exchange", delayMs });

const send = ({ gateway }: ClientState, frame: Parameters<typeof writeExchangeFrame>[0]): ClientEffect =>
  frameTo(gateway, writeExchangeFrame(frame));

/** Of a frame that nothing waits for. */
const ANY = 0;

const frameTo = (to: string, bytes: Uint8Array, frame = ANY): RadioEffect => ({
  type: "sendFrame",
  frame,
  to,
  bytes,
});
