// The pair's machine beside another one that shares the radio and the timers with it: which events are for it, and what it raises apart from
// what it does. It has no state of its own.

import type { PeerFacts, Stamped, TimerFired } from "../event.js";
import type { RadioEvent } from "../radio/vocabulary.js";
import { ACK, DATA, PROBE } from "./data-packet.js";
import { peerStep } from "./peer.js";
import type { PairSettings, PeerState } from "./peer-state.js";
import { ANNOUNCE, REQUEST, RESPONSE } from "./version-packet.js";
import type { PairEvent, PairTimer, PeerEffect, PeerInput } from "./vocabulary.js";

const PAIR_TIMERS: readonly string[] = Object.freeze([
  "peer.announce",
  "peer.lost",
  "peer.ack",
] satisfies PairTimer[]);

const FRAMES: readonly number[] = Object.freeze([DATA, PROBE, ACK, ANNOUNCE, REQUEST, RESPONSE]);

/** By its first byte; what is in it is not looked at. */
export const isPeerFrame = (bytes: Uint8Array): boolean => FRAMES.includes(bytes[0] ?? 0);

/** Whether the pair's machine listens to an event, and no other does. */
export const isPeerInput = <Any extends Heard>(event: Any): event is Any & Stamped<OwnInput> =>
  event.type === "peerDataSubmitted" ||
  event.type === "peerForgotten" ||
  (event.type === "timerFired" && PAIR_TIMERS.includes(event.timer ?? ""));

interface Heard {
  readonly type: string;
  readonly timer?: string;
}

type OwnInput =
  | TimerFired<PairTimer>
  | Extract<PairEvent, { readonly type: "peerDataSubmitted" | "peerForgotten" }>;

/** What it becomes, what it does, and what it raises, each in order. */
export interface PeerTurn {
  readonly peer: PeerState;
  readonly effects: readonly Exclude<PeerEffect, { readonly type: "raise" }>[];
  readonly raised: readonly (PeerFacts | PairEvent)[];
}

export function peerTurn(
  peer: PeerState,
  event: Stamped<PeerInput | RadioEvent>,
  settings: PairSettings,
): PeerTurn {
  const [next, asked] = peerStep(peer, event, settings);
  const effects: Exclude<PeerEffect, { readonly type: "raise" }>[] = [];
  const raised: (PeerFacts | PairEvent)[] = [];
  for (const effect of asked) {
    if (effect.type === "raise") raised.push(effect.event);
    else effects.push(effect);
  }
  return { peer: next, effects, raised };
}
