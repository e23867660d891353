// Publishes messages to an MQTT broker, one at a time and each until the broker has acknowledged it (QoS 1). What cannot be sent waits in a
// short queue, whose oldest message is given up for a new one: a broker that is away neither fills the memory nor holds the device up.
//
//   off ─ online ─► connecting ─ brokerConnected ─► greeting ─ accepted ─► ready ─┐
//    ▲                 ▲                                                  │      │ one message at a time, a ping in between
//    └── offline ──────┴──────────── waiting ◄── lost, refused, silent ───┴──────┘

import { backoffMs } from "../backoff.js";
import type { TimerEffect } from "../effect.js";
import type { Event, Stamp } from "../event.js";
import {
  connectPacket,
  disconnectPacket,
  type Message,
  pingPacket,
  publishPacket,
  readAnswer,
} from "./packets.js";
import type { BrokerEffect, BrokerEvent, MqttTimer } from "./vocabulary.js";

export interface BrokerSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly clientId: string;
  /** Holds `online` while this device is connected, `offline` after it was lost; retained. */
  readonly statusTopic: string;
}

type Input =
  | BrokerEvent
  | { readonly type: "timerFired"; readonly timer: string }
  | { readonly type: "online" | "offline" }
  | { readonly type: "publish"; readonly message: Message };

interface Connection {
  readonly phase: "off" | "waiting" | "connecting" | "greeting" | "ready";
}

export interface PublisherState extends Connection {
  readonly attempt: number;
  readonly failureCount: number;
  /** Oldest first; the first is under way while `awaits` is not 0. */
  readonly queue: readonly Message[];
  /** Id of the message that the broker has not acknowledged; 0: none. */
  readonly awaits: number;
  readonly lastId: number;
  readonly wasSent: boolean;
  /** Of an answer that has not arrived as a whole. */
  readonly received: Uint8Array;
  /** Given up since the start, because the queue was full. */
  readonly lostCount: number;
}

export const MAX_QUEUED = 8;
/** Topic and payload, characters: longer ones are not queued. */
const MAX_MESSAGE_LENGTH = 1_000;
const KEEP_ALIVE_SECONDS = 60;
/** The broker gives a client up after one and a half times as long (3.1.2.10). */
const PING_MS = 45_000;
const ANSWER_MS = 15_000;
const BACKOFF = Object.freeze({ firstMs: 5_000, maximumMs: 300_000 });
const NO_BYTES = new Uint8Array(0);

export const initialPublisher: PublisherState = Object.freeze({
  phase: "off",
  attempt: 0,
  failureCount: 0,
  queue: Object.freeze([]),
  awaits: 0,
  lastId: 0,
  wasSent: false,
  received: NO_BYTES,
  lostCount: 0,
});

type Asked =
  | BrokerEffect
  | TimerEffect<MqttTimer>
  | { readonly type: "log"; readonly level: "info" | "warn"; readonly message: string }
  /** For the app's core. */
  | { readonly type: "raise"; readonly event: Extract<Event, { readonly type: "brokerStatus" }> };
export type PublisherStep = readonly [PublisherState, readonly Asked[]];

export function publisherStep(
  state: PublisherState,
  event: Input & Stamp,
  broker: BrokerSettings,
): PublisherStep {
  const [next, asked] = handle(state, event, broker);
  const isConnected = next.phase === "ready";
  if (isConnected === (state.phase === "ready")) return [next, asked];
  return [next, [...asked, { type: "raise", event: { type: "brokerStatus", isConnected } }]];
}

function handle(state: PublisherState, event: Input & Stamp, broker: BrokerSettings): PublisherStep {
  if ("attempt" in event && event.attempt !== state.attempt) return [state, []];
  switch (event.type) {
    case "online":
      return state.phase === "off" ? connect(state, broker) : [state, []];
    case "offline":
      return leave(state);
    case "publish":
      return queue(state, event.message);
    case "brokerConnected":
      return greet(state, broker);
    case "brokerReceived":
      return received(state, event, broker);
    case "brokerLost":
      return state.phase === "off" || state.phase === "waiting"
        ? [state, []]
        : retry(state, event.message, event.random);
    case "timerFired":
      return timerFired(state, event, broker);
  }
}

function connect(state: PublisherState, { host, port }: BrokerSettings): PublisherStep {
  const attempt = state.attempt + 1;
  return [
    { ...state, phase: "connecting", attempt, received: NO_BYTES, awaits: 0 },
    [
      { type: "connectBroker", attempt, host, port },
      { type: "setTimer", timer: "mqtt.answer", delayMs: ANSWER_MS },
    ],
  ];
}

function greet(state: PublisherState, broker: BrokerSettings): PublisherStep {
  if (state.phase !== "connecting") return [state, []];
  const { clientId, user, password, statusTopic } = broker;
  const will = { topic: statusTopic, payload: "offline" };
  const bytes = connectPacket({ clientId, user, password, keepAliveSeconds: KEEP_ALIVE_SECONDS, will });
  return [
    { ...state, phase: "greeting" },
    [
      { type: "sendToBroker", attempt: state.attempt, bytes },
      { type: "setTimer", timer: "mqtt.answer", delayMs: ANSWER_MS },
    ],
  ];
}

function queue(state: PublisherState, message: Message): PublisherStep {
  if (message.topic.length + message.payload.length > MAX_MESSAGE_LENGTH) return [state, []];
  const isFull = state.queue.length >= MAX_QUEUED;
  // the one that is under way stays the first
  const kept = state.awaits > 0 ? 1 : 0;
  const rest = isFull ? [...state.queue.slice(0, kept), ...state.queue.slice(kept + 1)] : state.queue;
  const next: PublisherState = {
    ...state,
    queue: [...rest, message],
    lostCount: state.lostCount + (isFull ? 1 : 0),
    wasSent: isFull && kept === 0 ? false : state.wasSent,
  };
  return next.phase === "ready" && next.awaits === 0 ? sendNext(next) : [next, []];
}

function sendNext(state: PublisherState): PublisherStep {
  const [message] = state.queue;
  if (!message) return [state, [{ type: "setTimer", timer: "mqtt.ping", delayMs: PING_MS }]];
  const id = state.wasSent ? state.lastId : (state.lastId % 0xffff) + 1;
  const bytes = publishPacket(message, id, state.wasSent);
  return [
    { ...state, awaits: id, lastId: id, wasSent: true },
    [
      { type: "clearTimer", timer: "mqtt.ping" },
      { type: "sendToBroker", attempt: state.attempt, bytes },
      { type: "setTimer", timer: "mqtt.answer", delayMs: ANSWER_MS },
    ],
  ];
}

function received(
  state: PublisherState,
  event: Extract<BrokerEvent, { readonly type: "brokerReceived" }> & Stamp,
  broker: BrokerSettings,
): PublisherStep {
  let next = state;
  let bytes = joined(state.received, event.bytes);
  const asked: Asked[] = [];
  // each turn takes a packet of two bytes or more
  for (;;) {
    const read = readAnswer(bytes);
    if (read === undefined) return [{ ...next, received: bytes }, asked];
    if (typeof read === "string") return after(asked, retry(next, read, event.random));
    bytes = read.rest;
    const [reached, more] = answered(next, read.answer, broker, event.random);
    asked.push(...more);
    next = reached;
    if (next.phase !== "ready") return [next, asked];
  }
}

const after = (first: readonly Asked[], [state, asked]: PublisherStep): PublisherStep => [
  state,
  [...first, ...asked],
];

function answered(
  state: PublisherState,
  answer: Exclude<Exclude<ReturnType<typeof readAnswer>, string>, undefined>["answer"],
  { host, port, statusTopic }: BrokerSettings,
  random: number,
): PublisherStep {
  switch (answer.kind) {
    case "refused":
      return retry(state, answer.reason, random);
    case "connected": {
      if (state.phase !== "greeting") return retry(state, "the broker accepted the connection twice", random);
      const online: Message = { topic: statusTopic, payload: "online", isRetained: true };
      const others = state.queue.filter(({ topic }) => topic !== statusTopic).slice(1 - MAX_QUEUED);
      const ready: PublisherState = {
        ...state,
        phase: "ready",
        failureCount: 0,
        queue: [online, ...others],
        wasSent: false,
      };
      return after(
        [{ type: "log", level: "info", message: `MQTT: connected to ${host}:${port}` }],
        sendNext(ready),
      );
    }
    case "alive":
      return [state, state.awaits > 0 ? [] : [{ type: "clearTimer", timer: "mqtt.answer" }, ping()]];
    case "published":
      if (answer.id !== state.awaits) return [state, []];
      return after(
        [{ type: "clearTimer", timer: "mqtt.answer" }],
        sendNext({ ...state, queue: state.queue.slice(1), awaits: 0, wasSent: false }),
      );
  }
}

const ping = (): TimerEffect<MqttTimer> => ({ type: "setTimer", timer: "mqtt.ping", delayMs: PING_MS });

function timerFired(
  state: PublisherState,
  { timer, random }: { readonly timer: string } & Stamp,
  broker: BrokerSettings,
): PublisherStep {
  switch (timer) {
    case "mqtt.retry":
      return state.phase === "waiting" ? connect(state, broker) : [state, []];
    case "mqtt.ping":
      return state.phase !== "ready" || state.awaits > 0
        ? [state, []]
        : [
            state,
            [
              { type: "sendToBroker", attempt: state.attempt, bytes: pingPacket() },
              { type: "setTimer", timer: "mqtt.answer", delayMs: ANSWER_MS },
            ],
          ];
    case "mqtt.answer":
      return state.phase === "off" || state.phase === "waiting"
        ? [state, []]
        : retry(state, `no answer within ${ANSWER_MS / 1000} s`, random);
    default:
      return [state, []];
  }
}

function retry(state: PublisherState, why: string, random: number): PublisherStep {
  const failureCount = state.failureCount + 1;
  const delayMs = backoffMs(BACKOFF, failureCount, random);
  return [
    { ...state, phase: "waiting", failureCount, awaits: 0, received: NO_BYTES },
    [
      { type: "closeBroker", attempt: state.attempt },
      { type: "clearTimer", timer: "mqtt.answer" },
      { type: "clearTimer", timer: "mqtt.ping" },
      { type: "setTimer", timer: "mqtt.retry", delayMs },
      // once: a broker that stays away does not fill the log
      ...(failureCount === 1 ? ([{ type: "log", level: "warn", message: `MQTT: ${why}` }] as const) : []),
    ],
  ];
}

/** The network is lost, or the device restarts: the broker is told, if it can be. */
function leave(state: PublisherState): PublisherStep {
  if (state.phase === "off") return [state, []];
  const { attempt } = state;
  return [
    { ...state, phase: "off", awaits: 0, received: NO_BYTES },
    [
      ...(state.phase === "ready"
        ? [{ type: "sendToBroker", attempt, bytes: disconnectPacket() } as const]
        : []),
      { type: "closeBroker", attempt },
      { type: "clearTimer", timer: "mqtt.answer" },
      { type: "clearTimer", timer: "mqtt.ping" },
      { type: "clearTimer", timer: "mqtt.retry" },
    ],
  ];
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
