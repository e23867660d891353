// What the server may order of this device: the kinds of order, and the settings that it may push, each with its limits and its present value.
// The server asks for it when the digest in a check is not the one that it knows, so nothing of it is kept here but that digest. Never tells a
// secret, nor what only the owner may change.

import type { Raise } from "../event.js";
import { fnv1a } from "../fnv.js";
import { writeJson } from "../json.js";
import type { Field, Value } from "../section.js";
import { CHECK_SECONDS_FIELD, DEVICE_NAME_FIELD } from "../settings/own-fields.js";
import type { Abilities } from "../wire.js";
import type { LocalApiState, Step } from "./api-state.js";

/** Tells the update machine of the digest, after a boot and after each change of settings. */
export function abilitiesOf(state: LocalApiState): readonly Raise[] {
  // by radio a description would cost some twenty frames of an air that all share
  if (!state.boot || state.boot.link === "radio") return [];
  const digest = digestOf(describe(state));
  return [{ type: "raise", event: { type: "abilitiesChanged", digest } }];
}

/** The server has asked. */
export function tellAbilities(state: LocalApiState): Step {
  const { boot } = state;
  if (!boot) return [state, []];
  const text = describe(state);
  const head = writeJson({ device_id: boot.identity.deviceId, digest: digestOf(text) });
  const body = `${head.slice(0, -1)},${text.slice(1)}`;
  return [state, [{ type: "raise", event: { type: "abilitiesTold", body } }]];
}

function describe({ boot, preferences, values }: LocalApiState): string {
  const fields: Field[] = [CHECK_SECONDS_FIELD, DEVICE_NAME_FIELD];
  const told: Record<string, Value> = {
    // 0: whatever the build or the server says
    checkSeconds: preferences?.hasOwnPace ? preferences.checkSeconds : 0,
    deviceName: preferences?.deviceName ?? "",
  };
  for (const field of boot?.section?.fields ?? []) {
    const value = values[field.name];
    if (field.isOwners === true || field.type === "secret" || value === undefined) continue;
    fields.push(field);
    told[field.name] = value;
  }
  const abilities: Abilities = {
    orders: boot?.canIdentify === true ? ALL_ORDERS : WITHOUT_IDENTIFY,
    fields,
    values: told,
  };
  return writeJson(abilities);
}

const ALL_ORDERS: readonly string[] = Object.freeze(["identify", "restart", "settings"]);
const WITHOUT_IDENTIFY: readonly string[] = Object.freeze(["restart", "settings"]);

const digestOf = (text: string): string => fnv1a(text).toString(16).padStart(8, "0");
