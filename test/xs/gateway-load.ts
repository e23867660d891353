// Inside XS: the gateway app's machine, with an order for its nodes, and so many nodes that each check, ask for the image, ask for blocks and
// report. Its state stays, for gateway-memory.test.ts to weigh.

import { nodeCount, order } from "skyslot:load";
import {
  type GatewayAppEvent,
  type GatewayAppState,
  gatewayAppStep,
  initialGatewayApp,
} from "../../firmware/apps/gateway/core/gateway-app.js";
import type { Stamped } from "../../firmware/core/event.js";
import { idBytes } from "../../firmware/core/gateway/cached-image.js";
import { JOB_KEY, readKeptJob } from "../../firmware/core/gateway/job-order.js";
import { statusFrame } from "../../firmware/core/radio/block-frames.js";
import { fragmentsOf, writeExchangeFrame } from "../../firmware/core/radio/exchange-frames.js";
import { writeRequest } from "../../firmware/core/radio/exchange-message.js";
import { BOOTED } from "../firmware/core/events.js";

const SETTINGS = { group: 1, cacheBytes: 0x1e0000, token: "", isDistributing: true };
const image = readKeptJob(order)!.order.image!;

let state: GatewayAppState = initialGatewayApp;
let at = 0;

function take(event: GatewayAppEvent): void {
  at += 10;
  const stamped = { ...event, at, random: 0.5, freeHeapBytes: 100_000 } as Stamped<GatewayAppEvent>;
  [state] = gatewayAppStep(state, stamped, SETTINGS);
}

const hear = (from: string, bytes: Uint8Array) =>
  take({ type: "frameReceived", from, isBroadcast: false, bytes, rssi: -50 });

function ask(from: string, id: number, method: "GET" | "POST", target: string, body: object): void {
  const text = method === "POST" ? JSON.stringify(body) : "";
  const headers = { authorization: `Bearer ${"t".repeat(43)}` };
  const message = writeRequest({ method, target, headers, body: text })!;
  for (const frame of fragmentsOf("ask", id, message, 0, 99)) hear(from, frame);
  hear(from, writeExchangeFrame({ type: "done", id }));
}

function node(index: number): void {
  const from = `24:0a:c4:00:${Math.floor(index / 256) + 16}:${(index % 256) + 256}`;
  const device_id = `base-${index + 0x100000}`;
  const id = 1_000_000 + 10 * index;
  ask(from, id, "POST", "/api/ota/check", { device_id, device_type: "base", image_sha256: "a".repeat(64) });
  ask(from, id + 1, "GET", image.target, {});
  const asked = { id: idBytes(image), imageBytes: image.release.size, block: 0, endBlock: 2, room: 31 };
  hear(from, statusFrame({ ...asked, settled: new Uint8Array(10) }));
  ask(from, id + 2, "POST", "/api/ota/status", {
    device_id,
    firmware_id: 7,
    status: "failed",
    error_message: "x",
  });
}

take({ ...BOOTED, stored: { layout: "1", [JOB_KEY]: order } });
for (let index = 0; index < nodeCount; index++) node(index);

/** Keeps it alive. */
export const held = (): GatewayAppState => state;
