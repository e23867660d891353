// Finds the gateway of a device without a network, and notices when it is gone. Channel by channel the device asks, and listens for a
// moment; the channel where the gateway was last comes first, and several times: many devices may have lost it at once. A round in which nobody
// answers is followed by some on that channel alone, for a gateway without power comes back where it was. And since a gateway answers to all, a
// device whose neighbour has just asked need not ask again: the air is everybody's. The first gateway of the group that answers is kept, also
// over restarts. Another one is taken only after the kept one was silent for ten minutes: it was replaced. Sends nothing but these questions.
//
//   off ─ startSearch ─► seeking ─ beacon ─► linked ─ silent for 40 s ─► seeking
//                          └─ no answer in a round ─► after a pause, again

import { backoffMs } from "../backoff.js";
import { readDigits } from "../digits.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Stamp } from "../event.js";
import { readBeacon, SEEK, writeBeacon } from "./beacon.js";
import type { RadioHealth } from "./radio-health.js";
import { BROADCAST, type RadioEffect } from "./vocabulary.js";

/** NVS key: `aa:bb:cc:dd:ee:ff 6`, the gateway and its channel. */
export const GATEWAY_KEY = "radio.gateway";
export const MAX_GATEWAY_LENGTH = 24;

const CHANNEL_COUNT = 13;
/** ESP-IDF's default country refuses those behind it. A radio that refuses any of these has failed. */
const LEAST_CHANNEL_COUNT = 11;
/** For an answer to come: a gateway that is busy sending takes some frames' time. */
const LISTEN_MS = 120;
/** Questions on the channel where it was last, each with twice the time for an answer. */
const HOME_TRIES = 3;
/** If a gateway is known, every fifth round after the first searches all channels. */
const ALL_CHANNELS_EVERY = 5;
/** Between two rounds: listening costs 100 mA. */
const PAUSE = Object.freeze({ firstMs: 500, maximumMs: 30_000 });
/** A beacon comes every 10 s. */
const WATCH_MS = 4_000;
const LEAST_HEARD_MS = 1_000;
const DOUBT_MS = 14_000;
const LOST_MS = 40_000;
/** Behind its first question unanswered: other frames would be for nothing. */
const SILENT_MS = 20_000;
/** A neighbour's question is not counted any more: it may be out of the gateway's range. */
const OWN_MS = 28_000;
/**
 * From then on it is asked by a frame of its own, which the radio repeats, unless a neighbour is not answered either. Where nobody acknowledges
 * it, a frame to one is seven in the air.
 */
const DIRECT_MS = 36_000;
/** What is kept is given up for. */
const REPLACED_MS = 10 * 60_000;

/** Announcements of a version (../pair) come from gateways, too. */
const ANNOUNCE = 0x10;

export type SearchTimer = "radio.seek";

export interface SearchState {
  readonly phase: "off" | "seeking" | "linked";
  readonly group: number;
  /** Its address; empty: none was ever found. */
  readonly gateway: string;
  /** Where it was found; 1 to 13. */
  readonly homeChannel: number;
  readonly channel: number;
  /** How many the radio has, as far as is known. */
  readonly channelCount: number;
  readonly radio: RadioHealth;
  /** Questions on the channel where the gateway was last. */
  readonly homeCount: number;
  /** Channels asked in this round. */
  readonly askedCount: number;
  /** Rounds without an answer. */
  readonly roundCount: number;
  readonly heardMs: number;
  readonly sinceMs: number;
  /** When a neighbour has asked for a gateway of this group last. */
  readonly neighbourMs: number;
}

export type SearchOutput =
  | RadioEffect
  | TimerEffect<SearchTimer>
  | Extract<Effect, { readonly type: "store" | "log" }>
  | { readonly type: "gatewayFound"; readonly gateway: string; readonly rssi: number }
  | { readonly type: "gatewayLost" };

type Step = readonly [SearchState, readonly SearchOutput[]];

/** `stored`: what NVS has under GATEWAY_KEY; it may be anything. */
export function newSearch(group: number, stored: string | undefined): SearchState {
  const [gateway = "", channelText = ""] = (stored ?? "").split(" ");
  const channel = readDigits(channelText, 2) ?? 0;
  const isWell = gateway.length === BROADCAST.length && channel >= 1 && channel <= CHANNEL_COUNT;
  return {
    phase: "off",
    group,
    gateway: isWell ? gateway : "",
    homeChannel: isWell ? channel : 1,
    channel: 0,
    channelCount: CHANNEL_COUNT,
    radio: "well",
    homeCount: 0,
    askedCount: 0,
    roundCount: 0,
    heardMs: 0,
    sinceMs: 0,
    neighbourMs: -WATCH_MS,
  };
}

/** Whether the gateway has not answered for so long that it is probably gone. */
export const isSilent = ({ phase, heardMs }: SearchState, at: number): boolean =>
  phase === "linked" && at - heardMs >= SILENT_MS;

export function startSearch(state: SearchState, { at, random }: Stamp): Step {
  if (state.phase !== "off") return [state, []];
  const channel = state.homeChannel;
  const [next, outputs] = seek({ ...state, phase: "seeking", channel, sinceMs: at }, random);
  return [next, [{ type: "startRadio", channel }, ...outputs]];
}

/** Any frame: of the gateway each is a sign of life. */
export function searchHeard(
  state: SearchState,
  { from, bytes, rssi }: { readonly from: string; readonly bytes: Uint8Array; readonly rssi: number },
  { at }: Stamp,
): Step {
  if (state.phase === "linked") {
    // parts of an image come a hundred times a second: a new state for each would only fill the heap
    const isNews = from === state.gateway && at - state.heardMs >= LEAST_HEARD_MS;
    return [isNews ? { ...state, heardMs: at } : neighbourHeard(state, bytes, at), []];
  }
  if (state.phase === "off") return [state, []];
  const asked = neighbourHeard(state, bytes, at);
  // its answer is for all who are here
  if (asked !== state) return [{ ...asked, homeCount: HOME_TRIES }, []];
  const isReplacement = state.gateway === "" || at - state.sinceMs >= REPLACED_MS;
  if (from !== state.gateway && !isReplacement) return [state, []];
  const beacon = readBeacon(bytes);
  const isBeacon = beacon?.type === "beacon" && beacon.group === state.group;
  if (isBeacon && beacon.channel > 0) return found({ ...state, channel: beacon.channel }, from, rssi, at);
  // what nobody has asked for may be of the channel before: the answer tells
  return [state, isBeacon || bytes[0] === ANNOUNCE ? [ask(state, from)] : []];
}

function neighbourHeard(state: SearchState, bytes: Uint8Array, at: number): SearchState {
  const seek = bytes[0] === SEEK ? readBeacon(bytes) : undefined;
  const isSame = seek?.type === "seek" && seek.group === state.group && seek.channel === state.channel;
  return isSame ? { ...state, neighbourMs: at } : state;
}

/** Its timer has fired. */
export function searchTimer(state: SearchState, { at, random }: Stamp): Step {
  if (state.phase === "seeking") return seekOn(state, random);
  if (state.phase === "off") return [state, []];
  const silentMs = at - state.heardMs;
  if (silentMs >= LOST_MS) return lost(state, at, random);
  const isAsked = at - state.neighbourMs < WATCH_MS;
  const isAsking = silentMs >= OWN_MS || (silentMs >= DOUBT_MS && !isAsked);
  const to = silentMs >= DIRECT_MS && !isAsked ? state.gateway : BROADCAST;
  return [state, [...(isAsking ? [ask(state, to)] : []), WATCH]];
}

/** The gateway does not answer what it is asked, as far as that can be told: it is asked whether it is there. */
export const searchDoubt = (state: SearchState, at: number): Step =>
  state.phase === "linked"
    ? [{ ...state, heardMs: Math.min(state.heardMs, at - DOUBT_MS) }, [ask(state, BROADCAST)]]
    : [state, []];

/** The radio is not on the channel that it was asked for; `undefined`: it has failed, and is started anew when the timer fires. */
export function searchFailed(state: SearchState, { random }: Stamp): Step | undefined {
  const { phase, channel, radio } = state;
  if (phase !== "seeking" || channel <= LEAST_CHANNEL_COUNT || radio !== "well") return undefined;
  const channelCount = Math.min(state.channelCount, channel - 1);
  const homeChannel = state.homeChannel > channelCount ? 1 : state.homeChannel;
  // it was not asked there, and is not again
  const askedCount = Math.max(1, state.askedCount - 1);
  return seekOn({ ...state, channelCount, homeChannel, askedCount, homeCount: HOME_TRIES }, random);
}

function seekOn(state: SearchState, random: number): Step {
  const { askedCount, channelCount, roundCount: rounds } = state;
  if (state.radio === "down") return endRound({ ...state, radio: "unproved" }, "startRadio", random);
  const isKnown = state.gateway !== "";
  if (askedCount === 1 && isKnown && state.homeCount < HOME_TRIES)
    return seek({ ...state, askedCount: 0 }, random);
  const isAtHome = isKnown && rounds % ALL_CHANNELS_EVERY !== 0;
  if (askedCount < (isAtHome ? 1 : channelCount)) {
    // a round begins where the gateway was
    const channel = askedCount === 0 ? state.channel : state.channel >= channelCount ? 1 : state.channel + 1;
    const [next, outputs] = seek({ ...state, channel }, random);
    return [next, [{ type: "tuneRadio", channel }, ...outputs]];
  }
  return endRound(state, "tuneRadio", random);
}

/** Nobody was found: a pause, on the channel where the gateway was last. */
function endRound(state: SearchState, type: "startRadio" | "tuneRadio", random: number): Step {
  const channel = state.homeChannel;
  const roundCount = state.roundCount + 1;
  return [
    { ...state, channel, askedCount: 0, homeCount: 0, roundCount },
    [{ type, channel }, timer(backoffMs(PAUSE, roundCount, random))],
  ];
}

function seek(state: SearchState, random: number): Step {
  const isHome = state.askedCount === 0;
  const listenMs = isHome ? LISTEN_MS * 2 ** state.homeCount : LISTEN_MS;
  const wait = timer(Math.round(listenMs * (1 + random / 2)));
  const homeCount = state.homeCount + (isHome ? 1 : 0);
  return [{ ...state, homeCount, askedCount: state.askedCount + 1 }, [ask(state, BROADCAST), wait]];
}

function found(state: SearchState, gateway: string, rssi: number, at: number): Step {
  const { channel } = state;
  const isKnown = state.gateway === gateway && state.homeChannel === channel;
  const linked: SearchState = {
    ...state,
    phase: "linked",
    gateway,
    homeChannel: channel,
    askedCount: 0,
    homeCount: 0,
    roundCount: 0,
    heardMs: at,
  };
  const message = `gateway ${gateway} is on channel ${channel}, ${rssi} dBm`;
  return [
    linked,
    [
      { type: "log", level: "info", message },
      ...(isKnown ? [] : [{ type: "store", key: GATEWAY_KEY, value: `${gateway} ${channel}` } as const]),
      { type: "tuneRadio", channel },
      WATCH,
      { type: "gatewayFound", gateway, rssi },
    ],
  ];
}

function lost(state: SearchState, at: number, random: number): Step {
  const message = `gateway ${state.gateway} is silent`;
  const [next, outputs] = seek({ ...state, phase: "seeking", sinceMs: at }, random);
  return [next, [{ type: "log", level: "warn", message }, { type: "gatewayLost" }, ...outputs]];
}

const ask = ({ group, channel }: SearchState, to: string): RadioEffect => ({
  type: "sendFrame",
  frame: 0,
  to,
  bytes: writeBeacon({ type: "seek", group, channel }),
});

const timer = (delayMs: number): SearchOutput => ({ type: "setTimer", timer: "radio.seek", delayMs });
const WATCH: SearchOutput = Object.freeze({ type: "setTimer", timer: "radio.seek", delayMs: WATCH_MS });
