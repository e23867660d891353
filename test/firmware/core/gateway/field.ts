// A gateway and its nodes in one air: each is a whole device, core included, with its flash, its settings and its restarts; the gateway alone
// reaches the update server. Everything is virtual time from one seed. The boot loader is the smallest that can be: what is armed starts on
// trial, and a restart before it was marked valid goes back.

import { createHash } from "node:crypto";
import { latin1 } from "../../../../firmware/core/bytes.js";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Booted, Event } from "../../../../firmware/core/event.js";
import type { CacheEffect } from "../../../../firmware/core/gateway/cache-vocabulary.js";
import {
  type GatewayEffect,
  type GatewayEvent,
  type GatewaySettings,
  type GatewayState,
  gatewayStep,
  initialGateway,
} from "../../../../firmware/core/gateway/gateway-device.js";
import { groupOf } from "../../../../firmware/core/radio/beacon.js";
import {
  newRadioDevice,
  type RadioDeviceEffect,
  type RadioDeviceEvent,
  type RadioDeviceState,
  radioDeviceStep,
} from "../../../../firmware/core/radio/radio-device.js";
import { hex } from "../download.js";
import { BOOTED } from "../events.js";
import { Air, type AirOptions, type Station } from "../radio/air.js";
import { carriedOut, purposesOf } from "../saves.js";
import { combinedParts } from "./combined-parts.js";
import { Connections, isHttp } from "./connection.js";
import { carryOutOnCache, carryOutOnSlot, Flash } from "./flash.js";
import type { UpdateServer } from "./update-server.js";

export const GATEWAY = "24:0a:c4:00:00:01";
const GROUP = groupOf("garden");
const CHANNEL = 6;
const CACHE_BYTES = 0x1e0000;
const SLOT_BYTES = 0x200000;
const RESTART_MS = 800;
const SEGMENT_BYTES = 1_436;

const NETWORKS = '[["home","secret password"]]';

/** What a device of this test is, besides its machine: what survives a restart. */
class Body {
  readonly stored: Record<string, string>;
  readonly slot = new Flash(SLOT_BYTES);
  readonly logs: string[] = [];
  version = "1.0.0";
  imageSha256 = "a".repeat(64);
  /** The image that the next start tries. */
  armed: { readonly version: string; readonly imageSha256: string } | undefined;
  /** The one to go back to, while another is on trial. */
  fallback: { readonly version: string; readonly imageSha256: string } | undefined;
  restartNote: string | undefined;
  restartCount = 0;

  constructor(stored: Record<string, string>) {
    this.stored = { layout: "1", ...stored };
  }

  /** The boot loader: returns what core is told. */
  boot(deviceId: string, mac: string, resetReason: string): Booted {
    const before = { version: this.version, imageSha256: this.imageSha256 };
    if (this.armed) {
      this.fallback = before;
      Object.assign(this, this.armed);
      this.armed = undefined;
    } else if (this.fallback) {
      Object.assign(this, this.fallback);
      this.fallback = undefined;
    }
    const { version, imageSha256 } = this;
    const slotState = this.fallback ? "pending_verify" : "valid";
    const isFirst = version === "1.0.0";
    const restartNote = this.restartNote;
    this.restartNote = undefined;
    return {
      ...BOOTED,
      identity: { ...BOOTED.identity, deviceId, mac },
      image: { ...BOOTED.image, version, imageSha256, slotState, slot: isFirst ? "ota_0" : "ota_1" },
      target: { label: isFirst ? "ota_1" : "ota_0", sizeBytes: SLOT_BYTES, state: "undefined" },
      resetReason,
      stored: { ...this.stored },
      ...(restartNote === undefined ? {} : { restartNote }),
    };
  }

  /** Of core's effects, what is neither network nor timer nor radio. */
  carryOut(effect: Effect, restart: (reason: string) => void): readonly Event[] {
    switch (effect.type) {
      case "log":
        this.logs.push(effect.message);
        return [];
      case "store":
        this.stored[effect.key] = effect.value;
        return [];
      case "forget":
        delete this.stored[effect.key];
        return [];
      case "save": {
        const events: Event[] = [];
        for (const part of carriedOut([effect]))
          if (part.type !== "raise") events.push(...this.carryOut(part, restart));
        return [...events, ...purposesOf([effect]).map((purpose) => ({ type: "saved", purpose }) as const)];
      }
      case "eraseSlot":
      case "writeSlot":
      case "hashSlot":
        return [carryOutOnSlot(this.slot, effect)];
      case "hashBytes": {
        const digest = new Uint8Array(createHash("sha256").update(effect.bytes).digest());
        return [{ ...effect, type: "bytesHashed", digest }];
      }
      case "verifySignature":
        return [{ type: "signatureVerified", attempt: effect.attempt, good: true }];
      case "armSlot":
        this.armed = { version: this.#versionInSlot(), imageSha256: effect.imageSha256 };
        return [{ type: "slotArmed", attempt: effect.attempt }];
      case "markValid":
        this.fallback = undefined;
        return [{ type: "markedValid" }];
      case "restart":
        this.restartNote = effect.reason;
        restart("software");
        return [];
      case "rollBack":
        restart("software");
        return [];
      default:
        return [];
    }
  }

  #versionInSlot(): string {
    return latin1(this.slot.bytes.subarray(48, 53));
  }
}

export interface FieldOptions extends Partial<AirOptions> {
  readonly seed: number;
  readonly server: UpdateServer;
  readonly nodeCount?: number;
  readonly settings?: Partial<GatewaySettings>;
}

export class Field {
  readonly air: Air;
  readonly server: UpdateServer;
  readonly gateway: GatewayStation;
  readonly nodes: readonly NodeStation[];

  constructor({ server, nodeCount = 1, settings, ...options }: FieldOptions) {
    this.air = new Air(options);
    this.server = server;
    this.gateway = new GatewayStation(this.air, server, settings);
    this.nodes = Array.from({ length: nodeCount }, (_, index) => new NodeStation(this.air, index + 1));
  }

  start(): this {
    this.gateway.boot("power-on");
    for (const node of this.nodes) node.boot("power-on");
    return this;
  }

  /** Until all nodes run this version for good; false: they do not by then. */
  runUntilUpdated(version: string, limitMs: number): boolean {
    return this.air.runUntil(() => this.nodes.every((node) => node.runs(version)), limitMs);
  }

  get node(): NodeStation {
    return this.nodes[0]!;
  }
}

export class GatewayStation {
  state: GatewayState = initialGateway;
  readonly body = new Body({ networks: NETWORKS });
  cache = new Flash(CACHE_BYTES);
  readonly asked: string[] = [];
  readonly #air: Air;
  readonly #server: UpdateServer;
  readonly #settings: GatewaySettings;
  #station: Station | undefined;
  #connections: Connections | undefined;
  /** Its Wi-Fi network is there. */
  hasNetwork = true;
  /** What became of the image that was sent to it, for its nodes. */
  uploads: string[] = [];
  #file: Uint8Array = new Uint8Array(0);

  constructor(air: Air, server: UpdateServer, settings: Partial<GatewaySettings> = {}) {
    this.#air = air;
    this.#server = server;
    this.#settings = { group: GROUP, cacheBytes: CACHE_BYTES, ...settings };
  }

  boot(resetReason: string): void {
    this.state = initialGateway;
    const station: Station = this.#air.join<GatewayEvent, GatewayEffect>({
      address: GATEWAY,
      step: (event) => {
        const [state, effects] = gatewayStep(this.state, event, this.#settings);
        this.state = state;
        return effects;
      },
      carryOut: (effect) => this.#carryOut(effect, station),
    });
    this.#station = station;
    this.#connections = new Connections(
      (request) => (this.hasNetwork ? this.#server.answer(request) : undefined),
      (event) => this.#ifAlive(station, () => station.dispatch(event)),
      (delayMs, action) => this.#air.after(delayMs, () => this.#ifAlive(station, action)),
    );
    station.dispatch(this.body.boot("gateway-1", GATEWAY, resetReason));
    station.channel = CHANNEL; // of its access point, whatever it was told to listen on
  }

  /** Its power is off. */
  off(): void {
    this.#station?.leave();
    this.#station = undefined;
  }

  /** Off, and soon on again. */
  restart(resetReason = "power-on"): void {
    this.off();
    this.body.restartCount += 1;
    this.#air.after(RESTART_MS, () => this.boot(resetReason));
  }

  loseNetwork(): void {
    this.hasNetwork = false;
    this.#station?.dispatch({ type: "wifiLost", attempt: this.state.device.wifi.attempt, reason: "lost" });
  }

  /** Somebody who may sends it an image for its nodes. */
  send(manifest: string, file: Uint8Array): void {
    this.#file = file;
    this.#station?.dispatch({ type: "uploadOffered", manifest });
  }

  #sendOn(maxBytes: number, station: Station): void {
    const bytes = this.#file.slice(0, Math.min(maxBytes, SEGMENT_BYTES));
    this.#file = this.#file.slice(bytes.length);
    this.#air.after(5, () =>
      this.#ifAlive(station, () => station.dispatch({ type: "uploadArrived", bytes })),
    );
  }

  restoreNetwork(): void {
    this.hasNetwork = true;
  }

  #ifAlive(station: Station, action: () => void): void {
    if (station === this.#station) action();
  }

  #carryOut(effect: GatewayEffect, station: Station): readonly GatewayEvent[] {
    if (isHttp(effect)) {
      this.#connections?.carryOut(effect);
      return [];
    }
    switch (effect.type) {
      case "joinWifi": {
        const { attempt } = effect;
        const joined = this.hasNetwork
          ? ({ type: "wifiJoined", attempt, address: "192.168.1.9", rssi: -50 } as const)
          : ({ type: "wifiLost", attempt, reason: "not-found" } as const);
        this.#air.after(300, () => this.#ifAlive(station, () => station.dispatch(joined)));
        return [];
      }
      case "combineParts":
        return [combinedParts(this.cache.bytes, effect)];
      case "eraseCache":
      case "writeCache":
      case "readCache":
      case "hashCache":
        return [carryOutOnCache(this.cache, effect as CacheEffect)];
      case "uploadWants":
        this.#sendOn(effect.maxBytes, station);
        return [];
      case "uploadStored":
        this.uploads.push("stored");
        return [];
      case "uploadFailed":
        this.uploads.push(effect.message);
        return [];
      case "memberAsked":
        this.asked.push(`${effect.peer} ${effect.request.target.split("?")[0]}`);
        return [];
      default:
        return this.body.carryOut(effect as Effect, (reason) => this.restart(reason));
    }
  }
}

export class NodeStation {
  state: RadioDeviceState = newRadioDevice;
  readonly body = new Body({});
  readonly address: string;
  readonly deviceId: string;
  readonly #air: Air;
  #station: Station | undefined;

  constructor(air: Air, number: number) {
    this.#air = air;
    const last = number.toString(16).padStart(2, "0");
    this.address = `24:0a:c4:00:01:${last}`;
    this.deviceId = `node-${number}`;
  }

  boot(resetReason: string): void {
    this.state = newRadioDevice;
    this.#station = this.#air.join<RadioDeviceEvent, RadioDeviceEffect>({
      address: this.address,
      step: (event) => {
        const [state, effects] = radioDeviceStep(this.state, event, GROUP);
        this.state = state;
        return effects;
      },
      carryOut: (effect) =>
        effect.type === "combineParts"
          ? [combinedParts(this.body.slot.bytes, effect)]
          : this.body.carryOut(effect as Effect, (reason) => this.restart(reason)),
    });
    this.#station.dispatch(this.body.boot(this.deviceId, this.address, resetReason));
  }

  off(): void {
    this.#station?.leave();
    this.#station = undefined;
  }

  restart(resetReason = "power-on"): void {
    this.off();
    this.body.restartCount += 1;
    this.#air.after(RESTART_MS, () => this.boot(resetReason));
  }

  /** For good: its trial has passed. */
  runs(version: string): boolean {
    return this.body.version === version && !this.body.fallback && !this.body.armed;
  }

  get slotSha256(): string {
    return hex(this.body.slot.hash(0, SLOT_BYTES));
  }
}
