// Tells an MQTT broker what happens to the updates of both devices, if its owner or its build names one: the publisher of core/mqtt, beside the
// device. It only reads states, before and after an event, and what the transmitter reports on its way to the update server.
//
//   <topic>/<receiver's id>/status            `online`, or `offline` when it was lost; retained
//   <topic>/<receiver's id>/ota               what happens to the receiver's own image (core/mqtt/ota-events.ts)
//   <topic>/<receiver's id>/transmitter/ota   what happens to the transmitter's
//   <topic>/<receiver's id>/system            how far an update of both is, and how it ended

import type { DeviceState } from "../../../core/device-state.js";
import type { Stamp } from "../../../core/event.js";
import { writeJson } from "../../../core/json.js";
import { readBrokerAddress } from "../../../core/mqtt/broker-address.js";
import { otaMessages } from "../../../core/mqtt/ota-events.js";
import type { Message } from "../../../core/mqtt/packets.js";
import {
  type BrokerSettings,
  initialPublisher,
  type PublisherState,
  publisherStep,
} from "../../../core/mqtt/publisher.js";
import type { BrokerEvent } from "../../../core/mqtt/vocabulary.js";
import type { ReportSeen } from "../../../core/system/member.js";
import type { SystemState } from "../../../core/system/orchestrator.js";

export interface MqttConfig {
  /** `mqtt://host:port`, or the host alone; empty: nobody is told. */
  readonly address?: string;
  readonly user?: string;
  readonly password?: string;
  /** What its topics begin with; default: `skyslot`, and the device's id behind it. */
  readonly topic?: string;
}

/** Who is told. */
export interface Told extends Omit<BrokerSettings, "clientId" | "statusTopic"> {
  readonly topic: string;
}

/** Who is told, as it was chosen; `undefined`: nobody, because there is no address, or one that is none. */
export function toldOf({
  address = "",
  user = "",
  password = "",
  topic = "skyslot",
}: MqttConfig): Told | undefined {
  const read = address === "" ? undefined : readBrokerAddress(address);
  return read?.ok ? { ...read.value, user, password, topic } : undefined;
}

export interface TellingState {
  readonly publisher: PublisherState;
  /** Who was told last. */
  readonly told: Told | undefined;
}

export const initialTelling: TellingState = Object.freeze({ publisher: initialPublisher, told: undefined });

type PublisherInput = Parameters<typeof publisherStep>[1];
export type TellingEffect = ReturnType<typeof publisherStep>[1][number];

/** Events of the broker's, and its timers. */
export const isBrokers = (event: { readonly type: string; readonly timer?: string }): event is BrokerEvent =>
  event.type === "brokerConnected" ||
  event.type === "brokerReceived" ||
  event.type === "brokerLost" ||
  (event.type === "timerFired" && (event.timer ?? "").startsWith("mqtt."));

/** What the states were, and are. */
export interface Seen {
  readonly device: DeviceState;
  readonly system: SystemState;
  /** Of its image that the transmitter has, while both are updated. */
  readonly otherPercent: number;
}

/** @param event one of isBrokers, or any other, of which the states tell what it was */
export function tell(
  state: TellingState,
  event: { readonly type: string } & Stamp,
  [before, after]: readonly [Seen, Seen],
  told: Told | undefined,
  reported: ReportSeen | undefined,
): readonly [TellingState, readonly TellingEffect[]] {
  const tenth = Math.floor(after.otherPercent / 10);
  const isFurther = tenth > Math.floor(before.otherPercent / 10);
  const isSame = before.device === after.device && before.system === after.system && !isFurther;
  if (told === state.told && (!told || (isSame && !reported && !isBrokers(event)))) return [state, NOTHING];
  const turn = new Turn(state, event, after.device);
  turn.choose(told);
  if (!told) return [turn.state, turn.effects];
  if (isBrokers(event)) turn.step(event);
  const { online } = after.device.update;
  if (before.device.update.online !== online) turn.step({ type: online ? "online" : "offline" });
  const topic = topicOf(told, after.device);
  for (const message of otaMessages(topic, before.device, after.device)) turn.publish(message);
  for (const message of systemMessages(topic, before.system, after.system)) turn.publish(message);
  if (isFurther)
    turn.publish(messageTo(`${topic}/transmitter/ota`, { event: "progress", percent: tenth * 10 }));
  if (reported) turn.publish(peerMessage(topic, reported));
  return [turn.state, turn.effects];
}

const NOTHING: readonly never[] = Object.freeze([]);

/** One event. Lives as long as its step. */
class Turn {
  state: TellingState;
  readonly effects: TellingEffect[] = [];
  readonly #stamp: Stamp;
  readonly #device: DeviceState;

  constructor(state: TellingState, { at, random, freeHeapBytes }: Stamp, device: DeviceState) {
    this.state = state;
    this.#stamp = { at, random, freeHeapBytes };
    this.#device = device;
  }

  /** Another broker, or another password: the connection to the one before ends. */
  choose(told: Told | undefined): void {
    if (told === this.state.told) return;
    this.step({ type: "offline" });
    this.state = { ...this.state, told };
    if (this.#device.update.online) this.step({ type: "online" });
  }

  publish(message: Message): void {
    this.step({ type: "publish", message });
  }

  step(input: Unstamped<PublisherInput>): void {
    const { publisher, told } = this.state;
    if (!told) return;
    const settings = settingsOf(told, this.#device);
    const [next, effects] = publisherStep(
      publisher,
      { ...input, ...this.#stamp } as PublisherInput,
      settings,
    );
    this.state = { ...this.state, publisher: next };
    this.effects.push(...effects);
  }
}

type Unstamped<Any> = Any extends unknown ? Omit<Any, keyof Stamp> : never;

function systemMessages(topic: string, before: SystemState, after: SystemState): readonly Message[] {
  if (before === after) return NOTHING;
  const { job, history } = after;
  const [last] = history;
  const facts: object[] = [];
  if (job && (job.phase !== before.job?.phase || job.version !== before.job.version))
    facts.push({ version: job.version, phase: job.phase, reason: job.reason });
  if (before.job && !job && last) {
    const { version, result, reason } = last;
    facts.push({ version, result, reason });
  }
  return facts.map((fact) => messageTo(`${topic}/system`, fact));
}

/** As of the receiver's own image, in the words of ota-events.ts. */
function peerMessage(topic: string, { deviceId, status, step, code, message }: ReportSeen): Message {
  const event = PEER_EVENTS.find(([own]) => own === step || own === status)?.[1] ?? status;
  return messageTo(`${topic}/transmitter/ota`, {
    device: deviceId,
    event: code === "ROLLED_BACK" ? "rolled-back" : event,
    ...(code === "" ? {} : { code, reason: message }),
  });
}

/** A report's step or, where that says nothing, its status. */
const PEER_EVENTS: readonly (readonly [word: string, event: string])[] = Object.freeze([
  Object.freeze(["staged", "staged"] as const),
  Object.freeze(["success", "validated"] as const),
  Object.freeze(["failed", "failed"] as const),
]);

const messageTo = (topic: string, fact: object): Message => ({
  topic,
  payload: writeJson(fact),
  isRetained: false,
});

const idOf = ({ localApi }: DeviceState): string => localApi.boot?.identity.deviceId ?? "";

const topicOf = ({ topic }: Told, device: DeviceState): string => `${topic}/${idOf(device)}`;

const settingsOf = ({ host, port, user, password, ...told }: Told, device: DeviceState): BrokerSettings => ({
  host,
  port,
  user,
  password,
  clientId: idOf(device),
  statusTopic: `${told.topic}/${idOf(device)}/status`,
});
