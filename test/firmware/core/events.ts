// Sample events and facts for the tests of core.

import type { Booted, Event, PeerFacts, RunningImage, Stamped } from "../../../firmware/core/event.js";

export const IMAGE: RunningImage = Object.freeze({
  version: "1.0.0",
  build: 0,
  imageSha256: "a".repeat(64),
  slot: "factory",
  slotState: "factory",
  securityVersion: 0,
});

/** The key that signs releases here. */
export const KEY = Object.freeze({ kid: "key-1", x: "x".repeat(43), y: "y".repeat(43) });

export const BOOTED: Booted = Object.freeze<Booted>({
  type: "booted",
  identity: {
    deviceId: "base-0000a1",
    type: "base",
    hardware: "esp32",
    chip: "esp32",
    mac: "24:0a:c4:00:00:a1",
  },
  image: IMAGE,
  target: { label: "ota_0", sizeBytes: 0x200000, state: "undefined" },
  resetReason: "power-on",
  stored: { layout: "1" },
  setupPage: "<!doctype html>",
  build: {
    server: "http://updates.test:8080",
    checkSeconds: 120,
    trialSeconds: 30,
    trialDeadlineSeconds: 300,
    keys: [KEY],
  },
});

/** The other device of a pair, in range, and too new for this one. */
export const PEER: PeerFacts = Object.freeze<PeerFacts>({
  type: "peerFacts",
  deviceType: "transmitter",
  mac: "aa:bb:cc:dd:ee:ff",
  version: "2.1.3",
  number: 20_103,
  protocol: 3,
  minCompatible: 20_000,
  buildDate: "Nov 30 2026",
  buildTime: "12:34:56",
  isConnected: true,
  isCompatible: false,
  warning: "it speaks protocol 3, this device 2",
  rssi: -50,
  ignoredDataCount: 0,
});

/** The events of an HTTP answer in JSON. */
export function answerEvents(
  attempt: number,
  body: object,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): readonly Event[] {
  const text = JSON.stringify(body);
  const length = `${new TextEncoder().encode(text).length}`;
  return [
    { type: "responseStarted", attempt, status, headers: { "content-length": length, ...headers } },
    { type: "textCollected", attempt, text },
  ];
}

/** An event as the runner passes it to core. */
export const stamped = (event: Event, random = 0.5): Stamped =>
  ({ ...event, at: 0, random, freeHeapBytes: 100_000 }) as Stamped;
