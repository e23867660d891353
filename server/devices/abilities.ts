// What a device can be ordered to do, in its own words: kinds of order, settings with their limits and present values. The server asks for it when
// a check has a digest that it does not know, and refuses orders that the device could only refuse. Of a device that tells nothing, everything
// may be ordered.

import { applyMembers } from "../../firmware/core/settings/app-settings.js";
import type { Abilities, AbilitiesRequest, CheckRequest } from "../../firmware/core/wire.js";
import type { Journal } from "../events/journal.js";
import { Refusal } from "../shared/refusal.js";
import type { DeviceTraces, NewOrder } from "../store/store.js";

/** Whether a device that has proved itself is asked. What a device told that tells nothing any more is forgotten. */
export async function wantsAbilities(
  { store }: Journal,
  { device_id, abilities_digest: digest }: CheckRequest,
  { abilitiesDigest: known }: Pick<DeviceTraces, "abilitiesDigest">,
): Promise<boolean> {
  if (digest === undefined && known !== undefined) await store.removeAbilities(device_id);
  return digest !== undefined && digest !== known;
}

/**
 * A device tells. Only one that uses a token is believed: only that may be given orders.
 * @throws Refusal DEVICE_UNKNOWN, DEVICE_HAS_NO_TOKEN
 */
export async function takeAbilities(
  journal: Journal,
  { device_id: deviceId, digest, orders, fields, values }: AbilitiesRequest,
  isProved: boolean,
): Promise<void> {
  const { store, time } = journal;
  const device = await store.findDevice(deviceId);
  if (!device) throw new Refusal("DEVICE_UNKNOWN", `device ${deviceId} has never checked for updates here`);
  if (!isProved)
    throw new Refusal("DEVICE_HAS_NO_TOKEN", `device ${deviceId} has not shown a token of its own`);
  const told = new Set(fields.map(({ name }) => name));
  const known = Object.fromEntries(Object.entries(values).filter(([name]) => told.has(name)));
  await store.putAbilities({ deviceId, digest, orders, fields, values: known, toldAt: time });
  journal.announceDevice(device);
}

/**
 * Refuses an order that the device could only refuse.
 * @param abilities `undefined`: it has told none
 * @throws Refusal ORDER_UNSUPPORTED, SETTING_UNSUPPORTED, SETTING_INVALID
 */
export function requireAble(
  deviceId: string,
  { kind, settings }: Pick<NewOrder, "kind" | "settings">,
  abilities: Abilities | undefined,
): void {
  if (!abilities) return;
  const { orders, fields } = abilities;
  if (!orders.includes(kind))
    throw new Refusal(
      "ORDER_UNSUPPORTED",
      `${deviceId} does not carry out the order "${kind}": its firmware knows ${orders.join(", ") || "none"}`,
    );
  const wanted = Object.entries(settings ?? {});
  const unknown = wanted.find(([name]) => !fields.some((field) => field.name === name));
  if (unknown)
    throw new Refusal(
      "SETTING_UNSUPPORTED",
      `${deviceId} has no setting ${unknown[0]} that can be changed from here: it has ${fields.map(({ name }) => name).join(", ")}`,
    );
  const section = { name: "", title: "", fields, defaults: {} };
  const result = applyMembers(section, {}, new Map(wanted));
  if (!result.ok) throw new Refusal("SETTING_INVALID", `${deviceId}: ${result.failure.message}`);
}
