// The settings in a flash: everything that the firmware keeps in NVS, except for its own records of boots and installations.

import { FLOOR_KEY } from "../../firmware/core/clock.js";
import { TRIAL_REASON_KEY } from "../../firmware/core/trial/boot-validation.js";
import { UNHEALTHY_KEY } from "../../firmware/core/trial/crash-guard.js";
import { FRESH_KEY } from "../../firmware/core/trust/freshness.js";
import { OFFER_BLOCK_KEY, OFFER_NOTE_KEY } from "../../firmware/core/update/offer-crashes.js";
import { BLOCKED_IMAGE_KEY, RECORD_KEY } from "../../firmware/core/update/record.js";
import { STAGED_KEY } from "../../firmware/core/update/staged.js";
import { UNDO_KEY } from "../../firmware/core/update/undo.js";
import { Flash } from "../hardware/flash/flash.js";
import { Nvs } from "../hardware/nvs/nvs.js";
import type { Partition } from "../hardware/partitions/partition.js";

const NAMESPACE = "skyslot";
const BOOKKEEPING: readonly string[] = [
  RECORD_KEY,
  TRIAL_REASON_KEY,
  UNHEALTHY_KEY,
  OFFER_NOTE_KEY,
  OFFER_BLOCK_KEY,
  FLOOR_KEY,
  FRESH_KEY,
  STAGED_KEY,
  UNDO_KEY,
  BLOCKED_IMAGE_KEY,
  "boots",
];

export type Settings = Readonly<Record<string, string>>;

/** Of a running device, through its own NVS: nothing is read but the entries. */
export function settingsOf(nvs: Nvs | undefined): Settings {
  const settings: Record<string, string> = {};
  for (const { key } of nvs?.list(NAMESPACE) ?? []) {
    if (!BOOKKEEPING.includes(key)) settings[key] = String(nvs?.get(NAMESPACE, key).value);
  }
  return settings;
}

/** Of a flash that no device runs with. Mounts a copy, so that the flash is only read. */
export function settingsIn(flash: Flash, { offset, size }: Partition): Settings {
  return settingsOf(Nvs.mount(new Flash(size, flash.view(offset, size)), 0, size).nvs);
}

/** What is wrong with the settings after a cut: each has to be as it was saved before, or as the journey wanted it. */
export function settingsProblem(now: Settings, saved: Settings, wanted: Settings): string | undefined {
  for (const key of new Set([...Object.keys(saved), ...Object.keys(now)])) {
    if (now[key] === saved[key] || now[key] === wanted[key]) continue;
    return `setting "${key}" is ${quoted(now[key])}, saved was ${quoted(saved[key])}`;
  }
  return undefined;
}

const quoted = (value: string | undefined): string => (value === undefined ? "gone" : JSON.stringify(value));
