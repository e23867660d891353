// Tells an MQTT broker what happens to the receiver's updates, if its build names one: the publisher of core/mqtt, beside the device. It only
// reads the device's states, before and after an event.

import type { DeviceState } from "../../../core/device-state.js";
import type { Stamp } from "../../../core/event.js";
import { readBrokerAddress } from "../../../core/mqtt/broker-address.js";
import { otaMessages } from "../../../core/mqtt/ota-events.js";
import { type BrokerSettings, type PublisherState, publisherStep } from "../../../core/mqtt/publisher.js";
import type { BrokerEvent } from "../../../core/mqtt/vocabulary.js";

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

/** What a build says; `undefined`: nobody is told, because there is no address, or one that is none. */
export function toldOf({
  address = "",
  user = "",
  password = "",
  topic = "skyslot",
}: MqttConfig): Told | undefined {
  const read = address === "" ? undefined : readBrokerAddress(address);
  return read?.ok ? { ...read.value, user, password, topic } : undefined;
}

type Step = ReturnType<typeof publisherStep>;
export type TellingEffect = Step[1][number];

/** Events of the broker's, and its timers. */
export const isBrokers = (event: { readonly type: string; readonly timer?: string }): event is BrokerEvent =>
  event.type === "brokerConnected" ||
  event.type === "brokerReceived" ||
  event.type === "brokerLost" ||
  (event.type === "timerFired" && (event.timer ?? "").startsWith("mqtt."));

/** @param event one of isBrokers, or any other, of which the device's states tell what it was */
export function tell(
  state: PublisherState,
  event: { readonly type: string } & Stamp,
  [before, after]: readonly [DeviceState, DeviceState],
  told: Told | undefined,
): Step {
  if (!told || (before === after && !isBrokers(event))) return [state, []];
  const broker = settingsOf(told, after);
  const { at, random, freeHeapBytes } = event;
  const stamp = { at, random, freeHeapBytes };
  let next = state;
  const effects: TellingEffect[] = [];
  const step = (input: Parameters<typeof publisherStep>[1]) => {
    const [reached, asked] = publisherStep(next, input, broker);
    next = reached;
    effects.push(...asked);
  };
  if (isBrokers(event)) step({ ...event, ...stamp });
  if (before.update.online !== after.update.online)
    step({ type: after.update.online ? "online" : "offline", ...stamp });
  for (const message of otaMessages(topicOf(told, after), before, after))
    step({ type: "publish", message, ...stamp });
  return [next, effects];
}

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
