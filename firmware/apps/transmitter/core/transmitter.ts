// The device of the `transmitter` app: no network, its receiver as the gateway to the update server (core/radio/radio-device.ts), and the other
// device of its pair, to which it sends telemetry as long as both fit (core/pair/peer.ts). This file only composes.
//
// In safe mode it sends no telemetry; it stays in touch with its receiver, which is the way of its updates.

import type { TimerEffect } from "../../../core/effect.js";
import type { Stamped, TimerFired } from "../../../core/event.js";
import { MAX_PEER_LENGTH, PEER_KEY } from "../../../core/pair/peer.js";
import { initialPeer, type PairSettings, type PeerState } from "../../../core/pair/peer-state.js";
import { isPeerFrame, isPeerInput, peerTurn } from "../../../core/pair/peer-turn.js";
import { writeTelemetry } from "../../../core/pair/telemetry.js";
import type { PairEvent, PeerInput } from "../../../core/pair/vocabulary.js";
import {
  newRadioDevice,
  RADIO_STORES,
  type RadioDeviceEffect,
  type RadioDeviceEvent,
  type RadioDeviceState,
  radioDeviceStep,
} from "../../../core/radio/radio-device.js";

export interface TransmitterSettings {
  readonly pair: PairSettings;
  /** groupOf in core/radio/beacon.ts. */
  readonly group: number;
  /** Between two telemetries. */
  readonly telemetrySeconds: number;
}

export interface TransmitterState {
  readonly radio: RadioDeviceState;
  readonly peer: PeerState;
  /** Telemetries since the boot. */
  readonly count: number;
}

export const initialTransmitter: TransmitterState = Object.freeze({
  radio: newRadioDevice,
  peer: initialPeer,
  count: 0,
});

/** What it keeps in NVS besides core's. */
export const TRANSMITTER_STORES: Readonly<Record<string, number>> = Object.freeze({
  ...RADIO_STORES,
  [PEER_KEY]: MAX_PEER_LENGTH,
});

export type TransmitterEvent = RadioDeviceEvent | PairEvent;
export type TransmitterEffect = RadioDeviceEffect | TimerEffect<string>;

type Step = readonly [TransmitterState, readonly TransmitterEffect[]];

export function transmitterStep(
  state: TransmitterState,
  event: Stamped<TransmitterEvent>,
  settings: TransmitterSettings,
): Step {
  if (event.type === "timerFired" && event.timer === "telemetry") return telemetry(state, event, settings);
  if (isPeerInput(event)) return heard(state, event, settings);
  // raised by the pair's machine only, and handled where it is
  if (event.type === "peerDataReceived" || event.type === "peerDataSettled") return [state, []];
  const [radio, effects] = radioDeviceStep(state.radio, event, settings.group);
  const next = { ...state, radio };
  if (event.type === "booted") {
    const [after, more] = heard({ ...next, peer: initialPeer, count: 0 }, event, settings);
    return [after, [...effects, ...more, nextTelemetry(settings)]];
  }
  if (event.type !== "frameReceived" || !isPeerFrame(event.bytes)) return [next, effects];
  const [after, more] = heard(next, event, settings);
  return [after, [...effects, ...more]];
}

/** The pair's machine: of what it raises, the device hears the news of its peer. */
function heard(state: TransmitterState, event: Stamped<PeerInput>, settings: TransmitterSettings): Step {
  const { peer, effects, raised } = peerTurn(state.peer, event, settings.pair);
  const { at, random, freeHeapBytes } = event;
  const all: TransmitterEffect[] = [...effects];
  let { radio } = state;
  for (const news of raised) {
    if (news.type !== "peerFacts") continue;
    const [next, asked] = radioDeviceStep(radio, { ...news, at, random, freeHeapBytes }, settings.group);
    radio = next;
    all.push(...asked);
  }
  return [{ ...state, radio, peer }, all];
}

function telemetry(
  state: TransmitterState,
  stamp: Stamped<TimerFired<string>>,
  settings: TransmitterSettings,
): Step {
  const next = nextTelemetry(settings);
  if (state.radio.device.crashGuard.safeMode || !state.peer.isConnected) return [state, [next]];
  const { at, random, freeHeapBytes } = stamp;
  const count = (state.count + 1) & 0xffff;
  const payload = writeTelemetry({ uptimeSeconds: Math.floor(at / 1000), freeHeapBytes, count });
  const submitted = { type: "peerDataSubmitted", payload, at, random, freeHeapBytes } as const;
  const [after, effects] = heard({ ...state, count }, submitted, settings);
  return [after, [...effects, next]];
}

const nextTelemetry = ({ telemetrySeconds }: TransmitterSettings): TimerEffect<string> => ({
  type: "setTimer",
  timer: "telemetry",
  delayMs: telemetrySeconds * 1000,
});
