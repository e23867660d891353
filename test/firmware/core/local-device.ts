// A complete device with pages, as clients in its home network and its setup network see it: one request in, one answer out, and the
// effects that it causes.

import { expect } from "chai";
import { step } from "../../../firmware/core/device.js";
import { type DeviceState, initialDevice } from "../../../firmware/core/device-state.js";
import type { Effect, HttpResponse } from "../../../firmware/core/effect.js";
import type { Booted, Event } from "../../../firmware/core/event.js";
import { BOOTED, stamped } from "./events.js";
import { carriedOut, purposesOf } from "./saves.js";

export const JOINED = {
  ...BOOTED,
  statusPage: "<!doctype html>status",
  stored: { layout: "1", networks: '[["home","secret password"]]' },
};
export const HOST = "base-0000a1.local";
export const JSON_TYPE = "application/json";
export const TOKEN = "owner-token-1";
export const BEARER = `Bearer ${TOKEN}`;

export interface Asked {
  readonly host?: string;
  readonly origin?: string;
  readonly contentType?: string;
  readonly authorization?: string | undefined;
  readonly body?: string;
}

export class Device {
  state: DeviceState = initialDevice;
  effects: readonly Effect[] = [];

  /** When requests come, ms since the boot. */
  at = 61_500;

  constructor(booted: Booted) {
    this.on(booted);
  }
  /** In its home network, with an owner's token. */
  static joined(stored: Readonly<Record<string, string>> = {}, facts: Partial<Booted> = {}): Device {
    const all = { ...JOINED.stored, "push.token": TOKEN, ...stored };
    return new Device({ ...JOINED, ...facts, stored: all }).join();
  }
  join(): this {
    const { attempt } = this.state.wifi;
    return this.on({ type: "wifiJoined", attempt, address: "192.168.1.20", rssi: -50 });
  }
  /** The router is away: after three tries the portal opens. */
  loseRouter(): this {
    const timer = { type: "timerFired", timer: "wifi" } as const;
    for (let i = 0; i < 4; i++) {
      this.on({ type: "wifiLost", attempt: this.state.wifi.attempt, reason: "lost" });
      while (this.state.wifi.phase === "looking") this.on(timer); // nothing is heard
      this.on(timer);
    }
    expect(this.state.wifi.portalOpen).equal(true);
    return this;
  }
  on(event: Event, at = 0): this {
    let asked: readonly Effect[];
    [this.state, asked] = step(this.state, { ...stamped(event), at });
    this.effects = carriedOut(asked) as Effect[];
    for (const purpose of purposesOf(asked)) {
      const [state, more] = step(this.state, { ...stamped({ type: "saved", purpose }), at });
      this.state = state;
      this.effects = [...this.effects, ...more];
    }
    return this;
  }
  request(method: string, path: string, asked: Asked = {}): HttpResponse {
    this.on(
      { type: "requestReceived", connection: 3, method, path, host: HOST, body: "", ...asked },
      this.at,
    );
    const answers = this.effects.filter((effect) => effect.type === "respond");
    expect(answers.length, `answers to ${method} ${path}`).equal(1);
    return answers[0]!.response;
  }
  get(path: string, asked: Asked = {}) {
    return JSON.parse(this.request("GET", path, asked).body);
  }
  /** With the owner's token, unless `asked` says otherwise. */
  post(path: string, value: unknown = {}, asked: Asked = { authorization: BEARER }): HttpResponse {
    return this.request("POST", path, { contentType: JSON_TYPE, body: JSON.stringify(value), ...asked });
  }
  /** Effects that change something for good. */
  get done(): string[] {
    return this.effects
      .filter(({ type }) => ["store", "forget", "forgetAll", "restart", "rollBack"].includes(type))
      .map((effect) => ("key" in effect ? `${effect.type} ${effect.key}` : effect.type));
  }
}
