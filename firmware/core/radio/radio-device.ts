// A device without a network: what every device does, with a gateway in range in the network's place. Core is the same as everywhere; what it
// asks of a network goes to the link, an image comes in blocks, and everything else is carried out as on any device. It has no pages, no
// setup network, no name. This file only composes.
//
//            ┌──────── wifiJoined, textCollected, chunkStored … ────────┐
//            ▼                                                          │
//   core's step ── joinWifi, startRequest … ──► link ── receiveBlocks ──► receiver of blocks ── writeSlot ──►
//        └── eraseSlot, store, restart … ──────► └────── sendFrame ──────────────────────────────────────────►

import { step } from "../device.js";
import { type DeviceState, initialDevice } from "../device-state.js";
import type { Effect, TimerEffect } from "../effect.js";
import type { Event, Stamp, Stamped, TimerFired } from "../event.js";
import {
  type ReceiverStep,
  type Receiving,
  receiveBlocks,
  receiverStep,
  stopReceiving,
} from "./block-receiver.js";
import type { BlockEvent, CombineEvent, CombineParts } from "./block-vocabulary.js";
import { GATEWAY_KEY, MAX_GATEWAY_LENGTH } from "./gateway-search.js";
import {
  isTransport,
  LINK_TIMERS,
  type LinkOutput,
  type LinkState,
  linkBlocks,
  linkEffect,
  linkHeard,
  newLink,
  nextOfLink,
  stopBlocks,
} from "./link.js";
import type { RadioEffect, RadioEvent } from "./vocabulary.js";

export interface RadioDeviceState {
  readonly device: DeviceState;
  readonly link: LinkState;
  readonly blocks: Receiving | undefined;
}

/** Values that such a device keeps besides core's, and how long they may be. */
export const RADIO_STORES: Readonly<Record<string, number>> = Object.freeze({
  [GATEWAY_KEY]: MAX_GATEWAY_LENGTH,
});

export const newRadioDevice: RadioDeviceState = Object.freeze({
  device: initialDevice,
  link: frozen(newLink(0, undefined)),
  blocks: undefined,
});

/** It is built once, when the firmware is linked. */
function frozen(link: LinkState): LinkState {
  return Object.freeze({ ...link, search: Object.freeze({ ...link.search }) });
}

export type RadioDeviceEvent = Event | RadioEvent | CombineEvent | TimerFired<string>;
export type RadioDeviceEffect = Effect | RadioEffect | CombineParts | TimerEffect<string>;

/** Events that the link makes of one from outside. Each answer is a few; more is a loop, which is a bug. */
const MAX_LINK_EVENTS = 64;

/**
 * What the device becomes, and what it does, in order.
 *
 * @param group of its gateway: groupOf in beacon.ts
 */
export function radioDeviceStep(
  state: RadioDeviceState,
  event: Stamped<RadioDeviceEvent>,
  group: number,
): readonly [RadioDeviceState, readonly RadioDeviceEffect[]] {
  const turn = new Turn(state, event);
  turn.hear(event, group);
  return [turn.state, turn.effects];
}

/** One event from outside, and all that follows from it at once. Lives as long as its step. */
class Turn {
  state: RadioDeviceState;
  readonly effects: RadioDeviceEffect[] = [];
  readonly #stamp: Stamp;

  constructor(state: RadioDeviceState, { at, random, freeHeapBytes }: Stamp) {
    this.state = state;
    this.#stamp = { at, random, freeHeapBytes };
  }

  hear(event: Stamped<RadioDeviceEvent>, group: number): void {
    if (isOfRadio(event)) {
      this.#link(linkHeard(this.state.link, event, this.#stamp));
      this.#blocks(event);
    } else if (isOfBlocks(event)) this.#blocks(event);
    else if (event.type === "booted") {
      this.state = { ...newRadioDevice, link: newLink(group, event.stored[GATEWAY_KEY]) };
      this.#core({ ...event, link: "radio", isAnnounced: false });
    } else this.#core(event as Stamped);
    this.#deliver();
  }

  /** Core hears one event at a time, because what it asks for in between changes what comes next. */
  #deliver(): void {
    for (let count = 0; ; count++) {
      const [link, event] = nextOfLink(this.state.link);
      if (!event) return;
      this.state = { ...this.state, link };
      if (count >= MAX_LINK_EVENTS)
        throw new Error(`more than ${MAX_LINK_EVENTS} events of the link at once`);
      this.#core({ ...event, ...this.#stamp } as Stamped);
    }
  }

  #core(event: Stamped): void {
    const [device, effects] = step(this.state.device, event);
    this.state = { ...this.state, device };
    for (const effect of effects) {
      if (!isTransport(effect)) this.effects.push(effect);
      else this.#link(linkEffect(this.state.link, effect, device.update.server, this.#stamp));
    }
    if (this.state.link.arriving && !isDownloading(device)) this.#link(stopBlocks(this.state.link));
  }

  #link([link, outputs]: readonly [LinkState, readonly LinkOutput[]]): void {
    this.state = { ...this.state, link };
    for (const output of outputs) {
      // an answer may come late, or be forged: what was proved in the slot, or is to be rolled back to, stays as it is
      if (output.type === "receiveBlocks")
        this.#takeBlocks(
          isDownloading(this.state.device) ? receiveBlocks(output.order, this.#stamp) : [undefined, []],
        );
      else if (output.type === "stopBlocks") this.#takeBlocks([undefined, stopReceiving()]);
      else this.effects.push(output);
    }
  }

  #blocks(event: Stamped<BlockEvent>): void {
    const { blocks } = this.state;
    if (blocks) this.#takeBlocks(receiverStep(blocks, event));
  }

  #takeBlocks([blocks, effects]: ReceiverStep): void {
    this.state = { ...this.state, blocks };
    for (const effect of effects) {
      if (effect.type !== "raise") this.effects.push(effect);
      else this.state = { ...this.state, link: linkBlocks(this.state.link, effect.event) };
    }
  }
}

/** Of the radio, or a timer of the link's or the receiver's. */
const isOfRadio = (event: Stamped<RadioDeviceEvent>): event is Stamped<RadioEvent | TimerFired<string>> =>
  event.type === "frameReceived" ||
  event.type === "frameSent" ||
  event.type === "framesDropped" ||
  event.type === "radioFailed" ||
  (event.type === "timerFired" && isOwnTimer(event.timer));

const isOwnTimer = (timer: string): boolean => LINK_TIMERS.includes(timer) || timer === "block.status";

/** The answer to an effect of the receiver of blocks: core's attempts on the slot are positive. */
const isOfBlocks = (event: Stamped<RadioDeviceEvent>): event is Stamped<CombineEvent | SlotEvent> =>
  event.type === "partsCombined" ||
  event.type === "partsFailed" ||
  ((event.type === "slotErased" || event.type === "slotWritten" || event.type === "slotFailed") &&
    event.attempt < 0);

type SlotEvent = Extract<Event, { readonly type: "slotErased" | "slotWritten" | "slotFailed" }>;

/** Only then may anything come into the slot. */
const isDownloading = ({ update: { phase } }: DeviceState): boolean => DOWNLOADING.includes(phase);
const DOWNLOADING: readonly string[] = Object.freeze(["fetching", "requesting", "streaming", "resuming"]);
