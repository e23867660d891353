// What can happen to a device of a pair and what it can do, besides what core's event.ts and effect.ts and the radio's vocabulary say.

import type { Effect, TimerEffect } from "../effect.js";
import type { Booted, PeerFacts, TimerFired } from "../event.js";
import type { RadioEffect, RadioEvent } from "../radio/vocabulary.js";

export type PairTimer = "peer.announce" | "peer.lost" | "peer.ack";

/** To and from the app, whose payload it is. */
export type PairEvent =
  /** Raised for the app: the other device, which is compatible, has sent this. */
  | { readonly type: "peerDataReceived"; readonly payload: Uint8Array; readonly rssi: number }
  /** Raised for the app: the data that it submitted was read by the other device, or was given up. */
  | { readonly type: "peerDataSettled"; readonly isDelivered: boolean }
  /** By the app: at most MAX_PAYLOAD_BYTES for the other device. What was submitted before and is still on its way is given up. */
  | { readonly type: "peerDataSubmitted"; readonly payload: Uint8Array }
  /** By the owner: the other device has been replaced. The next one of its type that is heard takes its place. */
  | { readonly type: "peerForgotten" };

/** What the pair's machine listens to. */
export type PeerInput = Booted | TimerFired<PairTimer> | RadioEvent | PairEvent;

export interface PairRaise {
  readonly type: "raise";
  readonly event: PeerFacts | PairEvent;
}

export type PeerEffect =
  | Extract<RadioEffect, { readonly type: "sendFrame" }>
  | TimerEffect<PairTimer>
  | Extract<Effect, { readonly type: "store" | "forget" | "log" }>
  | PairRaise;
