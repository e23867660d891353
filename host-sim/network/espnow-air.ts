// The air in which devices of one network speak ESP-NOW: one medium for each Wi-Fi channel, shared by everybody on it. A station that wants
// to send waits for its turn; each station that is on the channel when the frame ends, in range and lucky, gets it. It keeps no list of peers and
// queues nothing for anybody: that is the driver's (espnow.ts).
//
//   wanted ─► others hold the channel ─► back-off ─► frame in the air ─► heard by some ─► (to one: acknowledged, or tried again) ─► done
//
// The channel carries some 215 kbit/s of frames' contents, for all senders together. It is stricter than a house in one thing: stations that do
// not hear each other share it as well. And kinder in one: frames never collide, unless `loss` counts those.

import type { World } from "../world/world.js";

/** Longest contents of a frame: ESP_NOW_MAX_DATA_LEN of esp_now.h (version 1). */
export const MAX_FRAME_BYTES = 250;
export const BROADCAST = "ff:ff:ff:ff:ff:ff";

/** 802.11b at 1 Mbit/s, ESP-NOW's default rate: long preamble and header, then 8 µs a byte (IEEE 802.11-2020, 16.2). */
const PREAMBLE_MS = 0.192;
const BYTE_MS = 0.008;
/** MAC header 24, category 1, OUI 3, random 4, element's head 7, FCS 4 (ESP-IDF, "ESP-NOW", Frame Format). */
const FRAME_OVERHEAD_BYTES = 43;
/** DIFS, then 0 to 31 slots of 20 µs (16.3.4). */
const DIFS_MS = 0.05;
const SLOT_MS = 0.02;
const SLOT_COUNT = 32;
/** SIFS and the 14 bytes of an acknowledgement. */
const ACKNOWLEDGEMENT_MS = 0.01 + PREAMBLE_MS + 14 * BYTE_MS;
/**
 * For so long, on average, other networks hold the channel before a frame: with it one sender gets the 214 kbit/s that Espressif measured
 * in the open (555 in a shielded box; ESP-FAQ, "What is the one-to-one bit rate for ESP32 in ESP-NOW mode?").
 */
const OTHERS_MS = 6.4;
/** Of a frame to one device, in all: dot11ShortRetryLimit. A frame to nobody was seen to be tried for 20 ms (ESP8266_NONOS_SDK issue 190). */
const TRY_COUNT = 7;

export interface AirFrame {
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly from: string;
  /** Of a device, or BROADCAST. */
  readonly to: string;
  /** 1 to MAX_FRAME_BYTES. */
  readonly bytes: Uint8Array;
}

export interface HeardFrame extends AirFrame {
  /** dBm. */
  readonly rssi: number;
}

export interface AirStation {
  readonly mac: string;
  /** The channel on which it sends, and hears; undefined: it hears nothing now. */
  readonly channel: number | undefined;
  hear(frame: HeardFrame): void;
}

/** What happens to frames. Each receiver has its own luck. */
export interface AirConditions {
  /** Share of frames that a receiver misses, 0 to 1. */
  readonly loss: number;
  /** Share of frames that a receiver gets twice. */
  readonly duplication: number;
  /** A frame reaches the receiver's driver up to so much later than it was heard, ms: others overtake it. */
  readonly delayMs: number;
  /** dBm at which `to` hears `from`; undefined: it does not. */
  rssi(from: string, to: string): number | undefined;
}

const GOOD_CONDITIONS: AirConditions = Object.freeze({
  loss: 0,
  duplication: 0,
  delayMs: 0,
  rssi: () => -55,
});

/** Of one frame, with all its tries; `late`: others overtake it; `unacknowledged`: it is heard, and its sender does not learn that. */
export type FrameFate = "lost" | "twice" | "late" | "unacknowledged";

/** Several frames' time. */
const LATE_MS = 60;

interface Transmission {
  readonly station: AirStation;
  readonly frame: AirFrame;
  readonly done: (isAcknowledged: boolean) => void;
}

/** A transmission that has its turn. */
interface Turn extends Transmission {
  /** Of its frame, in the order in which frames begin. */
  readonly number: number;
  readonly fate: FrameFate | undefined;
}

interface Medium {
  readonly waiting: Transmission[];
  isBusy: boolean;
}

export class EspNowAir {
  /** Replaced as a whole, or in part by `change`. */
  conditions = GOOD_CONDITIONS;
  /** Frames in the air by their first byte, each try of one counted. */
  readonly counts = new Map<number, number>();
  /** Called for each try, when it ends, with the number of its frame. */
  readonly observers = new Set<(frame: AirFrame, number: number) => void>();
  /** Called for each station in range that a try was for: whether it has heard it. */
  readonly listeners = new Set<(frame: AirFrame, to: string, isHeard: boolean) => void>();
  /** What becomes of single frames, whatever the conditions are, by their number: the first one that begins is 0. */
  readonly fates = new Map<number, FrameFate>();
  readonly #world: World;
  readonly #random: () => number;
  readonly #stations = new Set<AirStation>();
  readonly #media = new Map<number, Medium>();
  #begunCount = 0;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.randomStream("espnow");
  }

  change(conditions: Partial<AirConditions>): void {
    this.conditions = { ...this.conditions, ...conditions };
  }

  /** Frames in the air so far, each try counted; of these first bytes, or all. */
  count(...types: readonly number[]): number {
    const counted = types.length === 0 ? [...this.counts.keys()] : types;
    return counted.reduce((sum, type) => sum + (this.counts.get(type) ?? 0), 0);
  }

  enter(station: AirStation): void {
    this.#stations.add(station);
  }

  /** What it was about to send is gone with it, and nothing is reported. */
  leave(station: AirStation): void {
    this.#stations.delete(station);
    for (const { waiting } of this.#media.values())
      for (let i = waiting.length - 1; i >= 0; i--) if (waiting[i]!.station === station) waiting.splice(i, 1);
  }

  /** Sends when the channel is free that the station is on now. `done` is called when the frame has left, or every try has failed. */
  send(station: AirStation, frame: AirFrame, done: (isAcknowledged: boolean) => void): void {
    const medium = this.#mediumOf(station.channel ?? 0);
    medium.waiting.push({ station, frame, done });
    if (!medium.isBusy) this.#next(medium, station.channel ?? 0);
  }

  #mediumOf(channel: number): Medium {
    const medium = this.#media.get(channel) ?? { waiting: [], isBusy: false };
    this.#media.set(channel, medium);
    return medium;
  }

  #next(medium: Medium, channel: number): void {
    medium.isBusy = medium.waiting.length > 0;
    if (!medium.isBusy) return;
    this.#world.schedule(2 * OTHERS_MS * this.#random(), () => {
      const taken = this.#takeOne(medium.waiting);
      if (taken) this.#try(this.#begin(taken), channel, 1, () => this.#next(medium, channel));
      else this.#next(medium, channel);
    });
  }

  #begin(transmission: Transmission): Turn {
    const number = this.#begunCount;
    this.#begunCount += 1;
    return { ...transmission, number, fate: this.fates.get(number) };
  }

  /** Who waits has the same chance as everybody else, however many frames it has. */
  #takeOne(waiting: Transmission[]): Transmission | undefined {
    const stations = [...new Set(waiting.map(({ station }) => station))];
    const chosen = stations[Math.floor(stations.length * this.#random())];
    const index = waiting.findIndex(({ station }) => station === chosen);
    return index === -1 ? undefined : waiting.splice(index, 1)[0];
  }

  #try(turn: Turn, channel: number, tries: number, free: () => void): void {
    const { station, frame, fate } = turn;
    const backOffMs = DIFS_MS + SLOT_MS * Math.floor(SLOT_COUNT * this.#random());
    this.#world.schedule(backOffMs + airTimeMs(frame.bytes.length), () => {
      // its power has gone, or it is on another channel by now: nobody here hears it
      const isSent = this.#stations.has(station) && station.channel === channel;
      this.#count(turn);
      const isHeard = isSent && this.#spread(turn, channel);
      if (frame.to === BROADCAST) return this.#done(turn, true, free);
      this.#world.schedule(ACKNOWLEDGEMENT_MS, () => {
        if (isHeard && fate !== "unacknowledged" && !this.#misses()) this.#done(turn, true, free);
        else if (tries < TRY_COUNT && this.#stations.has(station)) this.#try(turn, channel, tries + 1, free);
        else this.#done(turn, false, free);
      });
    });
  }

  #done({ station, done }: Transmission, isAcknowledged: boolean, free: () => void): void {
    free();
    if (this.#stations.has(station)) done(isAcknowledged);
  }

  #count({ frame, number }: Turn): void {
    const type = frame.bytes[0]!;
    this.counts.set(type, (this.counts.get(type) ?? 0) + 1);
    for (const observer of this.observers) observer(frame, number);
  }

  /** @returns whether the one that it is for has heard it */
  #spread({ frame, fate }: Turn, channel: number): boolean {
    let isHeard = false;
    for (const station of [...this.#stations]) {
      if (station.mac === frame.from || station.channel !== channel) continue;
      const isForIt = frame.to === station.mac;
      if (!isForIt && frame.to !== BROADCAST) continue;
      const rssi = this.conditions.rssi(frame.from, station.mac);
      if (rssi === undefined) continue;
      const isMissed = fate === "lost" || this.#misses();
      for (const listener of this.listeners) listener(frame, station.mac, !isMissed);
      if (isMissed) continue;
      isHeard ||= isForIt;
      this.#hand(station, { ...frame, rssi }, fate);
    }
    return isHeard;
  }

  #misses(): boolean {
    const { loss } = this.conditions;
    return loss > 0 && this.#random() < loss;
  }

  #hand(station: AirStation, frame: HeardFrame, fate: FrameFate | undefined): void {
    const { duplication, delayMs } = this.conditions;
    const copies = fate === "twice" || (duplication > 0 && this.#random() < duplication) ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const hear = () => {
        if (this.#stations.has(station)) station.hear(frame);
      };
      if (fate === "late") this.#world.schedule(LATE_MS, hear);
      else if (delayMs > 0) this.#world.schedule(delayMs * this.#random(), hear);
      else hear();
    }
  }
}

/** Of a frame with so many bytes of contents, at 1 Mbit/s. */
export const airTimeMs = (length: number): number => PREAMBLE_MS + BYTE_MS * (FRAME_OVERHEAD_BYTES + length);
