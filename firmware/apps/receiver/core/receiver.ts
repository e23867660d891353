// The device of the `receiver` app: in a network, the gateway of its transmitter to the update server (core/gateway/gateway-device.ts), and the
// other device of its pair (core/pair/peer.ts). This file only composes.

import type { TimerEffect } from "../../../core/effect.js";
import type { Stamped } from "../../../core/event.js";
import {
  GATEWAY_STORES,
  type GatewayEffect,
  type GatewayEvent,
  type GatewaySettings,
  type GatewayState,
  gatewayStep,
  initialGateway,
} from "../../../core/gateway/gateway-device.js";
import { MAX_PEER_LENGTH, PEER_KEY } from "../../../core/pair/peer.js";
import { initialPeer, type PairSettings, type PeerState } from "../../../core/pair/peer-state.js";
import { isPeerFrame, isPeerInput, peerTurn } from "../../../core/pair/peer-turn.js";
import { readTelemetry, type Telemetry } from "../../../core/pair/telemetry.js";
import type { PairEvent, PeerInput } from "../../../core/pair/vocabulary.js";

export interface ReceiverSettings {
  readonly pair: PairSettings;
  readonly gateway: GatewaySettings;
}

export interface ReceiverState {
  readonly gateway: GatewayState;
  readonly peer: PeerState;
  /** What the transmitter has sent last. */
  readonly telemetry: Telemetry | undefined;
}

export const initialReceiver: ReceiverState = Object.freeze({
  gateway: initialGateway,
  peer: initialPeer,
  telemetry: undefined,
});

/** What it keeps in NVS besides core's. */
export const RECEIVER_STORES: Readonly<Record<string, number>> = Object.freeze({
  ...GATEWAY_STORES,
  [PEER_KEY]: MAX_PEER_LENGTH,
});

export type ReceiverEvent = GatewayEvent | PairEvent;
export type ReceiverEffect = Exclude<GatewayEffect, ForApps> | TimerEffect<string>;

/** What a gateway tells whoever composes it. */
type ForApps = Extract<
  GatewayEffect,
  { readonly type: "memberAsked" | "uploadWants" | "uploadStored" | "uploadFailed" }
>;

type Step = readonly [ReceiverState, readonly ReceiverEffect[]];

export function receiverStep(
  state: ReceiverState,
  event: Stamped<ReceiverEvent>,
  settings: ReceiverSettings,
): Step {
  const turn = new Turn(state, event, settings);
  turn.hear(event);
  return [turn.state, turn.effects];
}

/** One event, and all that follows from it at once. Lives as long as its step. */
class Turn {
  state: ReceiverState;
  readonly effects: ReceiverEffect[] = [];
  readonly #event: Stamped<ReceiverEvent>;
  readonly #settings: ReceiverSettings;

  constructor(state: ReceiverState, event: Stamped<ReceiverEvent>, settings: ReceiverSettings) {
    this.state = state;
    this.#event = event;
    this.#settings = settings;
  }

  hear(event: Stamped<ReceiverEvent>): void {
    if (isPeerInput(event)) return this.#peer(event);
    switch (event.type) {
      case "booted":
        this.state = initialReceiver;
        this.#gateway(event);
        return this.#peer(event);
      case "frameReceived":
        return isPeerFrame(event.bytes) ? this.#peer(event) : this.#gateway(event);
      case "peerDataReceived":
      case "peerDataSettled":
        return; // raised by the pair's machine only, and handled where it is
      default:
        this.#gateway(event);
    }
  }

  #gateway(event: Stamped<GatewayEvent>): void {
    const [gateway, effects] = gatewayStep(this.state.gateway, event, this.#settings.gateway);
    this.state = { ...this.state, gateway };
    for (const effect of effects) if (!isForApps(effect)) this.effects.push(effect);
  }

  #peer(event: Stamped<PeerInput>): void {
    const { peer, effects, raised } = peerTurn(this.state.peer, event, this.#settings.pair);
    this.state = { ...this.state, peer };
    this.effects.push(...effects);
    for (const news of raised) {
      if (news.type === "peerDataReceived") this.#data(news.payload);
      else if (news.type === "peerFacts") this.#gateway({ ...news, ...this.#stamp });
    }
  }

  #data(payload: Uint8Array): void {
    const telemetry = readTelemetry(payload);
    if (!telemetry) return;
    const { telemetry: before } = this.state;
    this.state = { ...this.state, telemetry };
    if (before && before.count < telemetry.count) return;
    const message = `the transmitter sends data: up for ${telemetry.uptimeSeconds} s, ${telemetry.freeHeapBytes} bytes free`;
    this.effects.push({ type: "log", level: "info", message });
  }

  get #stamp() {
    const { at, random, freeHeapBytes } = this.#event;
    return { at, random, freeHeapBytes };
  }
}

const isForApps = (effect: GatewayEffect): effect is ForApps =>
  effect.type === "memberAsked" ||
  effect.type === "uploadWants" ||
  effect.type === "uploadStored" ||
  effect.type === "uploadFailed";
