// The air between pure machines: stations that send each other ESP-NOW frames through a channel that loses, repeats, delays and reorders
// them, in virtual time and from a seed. It also keeps each station's timers. It knows no frame's contents, and no hardware: the virtual
// radio of whole devices is host-sim/network.
//
//   station A ─ sendFrame ─► the medium, one frame at a time ─► each other station on the channel: lost, heard, heard twice, heard late
//       ▲                          │
//       └──────── frameSent ───────┘
//
// It is no kinder than a radio: a broadcast is never repeated, each receiver loses a frame on its own, an acknowledgement is lost like a
// frame, and nothing is delivered to a station that has left or listens on another channel.

import type { TimerEffect } from "../../../../firmware/core/effect.js";
import type { Stamped, TimerFired } from "../../../../firmware/core/event.js";
import {
  BROADCAST,
  MAX_FRAME_BYTES,
  MAX_FRAMES_UNDER_WAY,
  type RadioEffect,
  type RadioEvent,
} from "../../../../firmware/core/radio/vocabulary.js";
import { EventHeap } from "../../../../host-sim/world/event-heap.js";
import { randomStream } from "../../../../host-sim/world/random.js";

export type AirEvent = RadioEvent | TimerFired<string>;
export type AirEffect = RadioEffect | TimerEffect<string>;

export interface AirOptions {
  readonly seed: number | string;
  /** Probability that a frame, or an acknowledgement, does not reach a station: 0 to 1. May be changed on the way. */
  readonly loss?: number;
  /** Probability that a station hears a frame twice. */
  readonly duplication?: number;
  /** A frame is delivered up to this much later, so that frames overtake each other, ms. */
  readonly reorderingMs?: number;
  /** What a frame takes in the air besides its bytes, ms. */
  readonly frameMs?: number;
  readonly bitsPerSecond?: number;
  /** How often a radio sends a frame to one device that is not acknowledged, in all. */
  readonly unicastTries?: number;
  /** Whether one station is in range of another; absent: all are. */
  readonly hears?: (to: string, from: string) => boolean;
}

export interface StationOptions<Event, Effect> {
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly address: string;
  /** The machine, which keeps its own state. */
  step(event: Stamped<Event | AirEvent>): readonly (Effect | AirEffect)[];
  /** Carries out what is neither the radio's nor a timer's. The events that it gives come before all others. */
  carryOut?(effect: Effect): readonly Event[];
}

/** A frame that was in the air. */
export interface Sent {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

export class Air {
  loss: number;
  nowMs = 0;
  /** Frames in the air by their first byte; each try of a frame to one device counts. */
  readonly counts = new Map<number, number>();
  /** Called with each frame when it is sent. */
  onSent: ((frame: Sent) => void) | undefined;
  readonly #options: AirOptions;
  readonly #random: () => number;
  readonly #stations = new Map<string, Station>();
  readonly #heap = new EventHeap();
  #sequence = 0;
  #freeAtMs = 0;

  constructor(options: AirOptions) {
    this.#options = options;
    this.loss = options.loss ?? 0;
    this.#random = randomStream(`${options.seed}/air`);
  }

  /** Frames in the air since the start. */
  get frameCount(): number {
    return [...this.counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** A station takes part; one with the same address that was there before has left: it has restarted. */
  join<Event extends { readonly type: string }, Effect extends { readonly type: string }>(
    options: StationOptions<Event, Effect>,
  ): Station {
    this.#stations.get(options.address)?.leave();
    const machine = options as unknown as StationOptions<AnyEvent, AnyEffect>;
    const station = new Station(this, machine, randomStream(`${this.#options.seed}/${options.address}`));
    this.#stations.set(options.address, station);
    return station;
  }

  /** Runs everything that is due within so many ms. */
  runFor(durationMs: number): void {
    this.runUntil(() => false, durationMs);
  }

  /** Runs until a condition holds, asked behind each event; returns whether it does, at the latest after `limitMs`. */
  runUntil(isOver: () => boolean, limitMs: number): boolean {
    const endMs = this.nowMs + limitMs;
    while (!isOver()) {
      const next = this.#heap.peek();
      if (next === undefined || next.atMs > endMs) {
        this.nowMs = endMs;
        return false;
      }
      this.#heap.pop();
      this.nowMs = next.atMs;
      next.action?.();
    }
    return true;
  }

  /** For stations: something that happens after so many ms. */
  after(delayMs: number, action: () => void): { cancel(): void } {
    const event = { atMs: this.nowMs + Math.max(0, delayMs), sequence: this.#sequence++, action };
    this.#heap.push(event);
    return { cancel: () => Object.assign(event, { action: undefined }) };
  }

  /** For stations: sends a frame as soon as the medium is free. */
  transmit(sender: Station, to: string, bytes: Uint8Array, sent: (isAcknowledged: boolean) => void): void {
    const { frameMs = 0.5, bitsPerSecond = 200_000, unicastTries = 1 } = this.#options;
    const startMs = Math.max(this.nowMs, this.#freeAtMs);
    const lengthMs = frameMs + (bytes.length * 8_000) / bitsPerSecond;
    const receivers = this.#receiversOf(sender, to);
    let tryCount = 0;
    let isAcknowledged = to === BROADCAST;
    const heard = new Set<Station>();
    do {
      tryCount += 1;
      for (const station of receivers) {
        if (this.#random() < this.loss) continue;
        heard.add(station);
        isAcknowledged ||= this.#random() >= this.loss;
      }
    } while (!isAcknowledged && tryCount < unicastTries);
    this.counts.set(bytes[0]!, (this.counts.get(bytes[0]!) ?? 0) + tryCount);
    this.#freeAtMs = startMs + tryCount * lengthMs;
    const { address, channel } = sender;
    this.after(this.#freeAtMs - this.nowMs, () => {
      this.onSent?.({ atMs: this.nowMs, from: address, to, bytes });
      for (const station of heard) {
        const isTwice = this.#random() < (this.#options.duplication ?? 0);
        for (let copy = 0; copy < (isTwice ? 2 : 1); copy++)
          this.#deliver(station, address, to, channel, bytes);
      }
      sent(isAcknowledged);
    });
  }

  #receiversOf(sender: Station, to: string): Station[] {
    const { hears = () => true } = this.#options;
    return [...this.#stations.values()].filter(
      (station) =>
        station !== sender &&
        (to === BROADCAST || station.address === to) &&
        station.channel === sender.channel &&
        hears(station.address, sender.address),
    );
  }

  #deliver(station: Station, from: string, to: string, channel: number | undefined, bytes: Uint8Array): void {
    this.after(this.#random() * (this.#options.reorderingMs ?? 0), () => {
      if (station.channel !== channel) return;
      const isBroadcast = to === BROADCAST;
      station.dispatch({ type: "frameReceived", from, isBroadcast, bytes: bytes.slice(), rssi: -60 });
    });
  }
}

type AnyEvent = { readonly type: string };
type AnyEffect = { readonly type: string };

export class Station {
  /** Undefined while it does not listen. */
  channel: number | undefined;
  readonly #air: Air;
  readonly #machine: StationOptions<AnyEvent, AnyEffect>;
  readonly #random: () => number;
  readonly #timers = new Map<string, { cancel(): void }>();
  readonly #queue: AnyEvent[] = [];
  #isRunning = false;
  #hasLeft = false;
  #underWayCount = 0;

  constructor(air: Air, machine: StationOptions<AnyEvent, AnyEffect>, random: () => number) {
    this.#air = air;
    this.#machine = machine;
    this.#random = random;
  }

  get address(): string {
    return this.#machine.address;
  }

  /** Its power is cut: nothing happens to it any more. */
  leave(): void {
    this.#hasLeft = true;
    this.channel = undefined;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  /** Hands an event to the machine, and carries out what it asks for, as the runner of the firmware does. */
  dispatch<Event extends { readonly type: string }>(event: Event): void {
    this.#queue.push(event);
    if (this.#isRunning) return;
    this.#isRunning = true;
    for (let next = this.#queue.shift(); next !== undefined && !this.#hasLeft; next = this.#queue.shift()) {
      const stamp = { at: this.#air.nowMs, random: this.#random(), freeHeapBytes: 100_000 };
      for (const effect of this.#machine.step({ ...next, ...stamp })) this.#carryOut(effect);
    }
    this.#isRunning = false;
  }

  #carryOut(asked: AnyEffect): void {
    const effect = asked as AirEffect;
    switch (effect.type) {
      case "setTimer":
        return this.#setTimer(effect.timer, effect.delayMs);
      case "clearTimer":
        return this.#timers.get(effect.timer)?.cancel();
      case "startRadio":
      case "tuneRadio":
        this.channel = effect.channel;
        return;
      case "sendFrame":
        return this.#send(effect);
      default:
        this.#queue.unshift(...(this.#machine.carryOut?.(effect) ?? []));
    }
  }

  #setTimer(timer: string, delayMs: number): void {
    this.#timers.get(timer)?.cancel();
    this.#timers.set(
      timer,
      this.#air.after(delayMs, () => this.dispatch({ type: "timerFired", timer })),
    );
  }

  #send({ frame, to, bytes }: Extract<AirEffect, { readonly type: "sendFrame" }>): void {
    if (bytes.length === 0 || bytes.length > MAX_FRAME_BYTES)
      throw new Error(`a frame of ${bytes.length} bytes`);
    const sent = (isAcknowledged: boolean) => {
      if (!this.#hasLeft) this.dispatch({ type: "frameSent", frame, isAcknowledged });
    };
    if (this.channel === undefined || this.#underWayCount >= MAX_FRAMES_UNDER_WAY) {
      this.#air.after(0, () => sent(false));
      return;
    }
    this.#underWayCount += 1;
    this.#air.transmit(this, to, bytes.slice(), (isAcknowledged) => {
      this.#underWayCount -= 1;
      sent(isAcknowledged);
    });
  }
}
