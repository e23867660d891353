// What the owner of a receiver can choose: when and whether a newer system is installed, and the MQTT broker that is told of updates: a settings
// section (core/settings/app-settings.ts). Only the owner chooses the broker: who could, would have what is published sent elsewhere.

import type { Section, Values } from "../../../core/section.js";
import type { LeaderSettings } from "./leader.js";
import { RECEIVER_STRINGS as text } from "./strings.js";
import { type MqttConfig, type Told, toldOf } from "./telling.js";

const MAX_ADDRESS_LENGTH = 100;
const MAX_NAME_LENGTH = 64;
/** Shorter ones would keep the server busy for nothing. */
const LEAST_POLL_MINUTES = 5;
const DAY_MINUTES = 1_440;
const HOUR_MINUTES = 60;

export const receiverSection: Section = Object.freeze({
  name: "receiver",
  title: text.title,
  fields: Object.freeze([
    Object.freeze({
      type: "choice",
      name: "updates",
      label: text.updates,
      options: Object.freeze([
        Object.freeze(["install", text.install] as const),
        Object.freeze(["notify", text.notify] as const),
      ]),
    } as const),
    Object.freeze({ type: "number", name: "windowFrom", label: text.from, least: 0, most: 23 } as const),
    Object.freeze({
      type: "number",
      name: "windowTo",
      label: text.to,
      hint: text.windowHint,
      least: 0,
      most: 23,
    } as const),
    Object.freeze({
      type: "number",
      name: "pollMinutes",
      label: text.poll,
      least: LEAST_POLL_MINUTES,
      most: DAY_MINUTES,
    } as const),
    Object.freeze({
      type: "url",
      scheme: "mqtt",
      name: "mqttAddress",
      label: text.address,
      hint: text.addressHint,
      most: MAX_ADDRESS_LENGTH,
      isOwners: true,
    } as const),
    Object.freeze({
      type: "text",
      name: "mqttTopic",
      label: text.topic,
      // a broker closes the connection of a client that publishes to these (MQTT 3.1.1, 4.7.1)
      without: "+#",
      most: MAX_NAME_LENGTH,
      isOwners: true,
    } as const),
    Object.freeze({
      type: "text",
      name: "mqttUser",
      label: text.user,
      most: MAX_NAME_LENGTH,
      isOwners: true,
    } as const),
    Object.freeze({
      type: "secret",
      name: "mqttPassword",
      label: text.password,
      most: MAX_NAME_LENGTH,
      isOwners: true,
    } as const),
  ]),
  defaults: Object.freeze({
    updates: "install",
    windowFrom: 0,
    windowTo: 0,
    pollMinutes: 60,
    mqttAddress: "",
    mqttTopic: "skyslot",
    mqttUser: "",
    mqttPassword: "",
  }),
});

/** What a build says, as values of the section. */
export function builtValues({
  updates,
  mqtt: { address, topic, user, password } = {},
}: {
  readonly updates?: string;
  readonly mqtt?: MqttConfig;
}): Values {
  const built: Record<string, string> = {};
  if (updates !== undefined) built.updates = updates;
  if (address !== undefined)
    built.mqttAddress = address === "" || address.includes("://") ? address : `mqtt://${address}`;
  if (topic !== undefined) built.mqttTopic = topic;
  if (user !== undefined) built.mqttUser = user;
  if (password !== undefined) built.mqttPassword = password;
  return built;
}

export interface ReceiverChoice {
  readonly leader: Omit<LeaderSettings, "system">;
  readonly told: Told | undefined;
}

/** @param values checked ones */
export function readReceiverChoice(values: Values): ReceiverChoice {
  return {
    leader: {
      installs: values.updates !== "notify",
      schedule: {
        startMinute: Number(values.windowFrom) * HOUR_MINUTES,
        endMinute: Number(values.windowTo) * HOUR_MINUTES,
        notBefore: 0,
      },
      pollSeconds: Number(values.pollMinutes) * 60,
    },
    told: toldOf({
      address: `${values.mqttAddress}`,
      topic: `${values.mqttTopic}`,
      user: `${values.mqttUser}`,
      password: `${values.mqttPassword}`,
    }),
  };
}
