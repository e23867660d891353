// The device of the `cms` app: what every device does, and beside it a panel with a picture, sensors, and sleep. Its own machines see
// each event after the device has, with what the device has become; they only read it. This file only composes.

import { step } from "../../../core/device.js";
import { type DeviceState, initialDevice } from "../../../core/device-state.js";
import type { Effect } from "../../../core/effect.js";
import type { Stamped } from "../../../core/event.js";
import { type ContentSettings, type ContentState, contentStep, initialContent } from "./content.js";
import { initialSleep, type SleepSettings, type SleepState, sleepStep } from "./sleep.js";
import { type CmsEffect, type CmsEvent, isOwn, type SampleSensors } from "./vocabulary.js";

export interface CmsSettings {
  readonly content: ContentSettings;
  readonly sleep: SleepSettings;
}

export interface CmsState {
  readonly device: DeviceState;
  readonly content: ContentState;
  readonly sleep: SleepState;
}

export const initialCms: CmsState = Object.freeze({
  device: initialDevice,
  content: initialContent,
  sleep: initialSleep,
});

const SAMPLE: SampleSensors = Object.freeze({ type: "sampleSensors" });

/** Each piece of an image brings some of these, and none of them is for the app's own machines. */
const OF_TRANSFERS: readonly string[] = Object.freeze([
  "responseReadable",
  "responseData",
  "slotErased",
  "slotWritten",
  "slotHashed",
]);

/** What the device becomes, and what it does, in order. */
export function cmsStep(
  state: CmsState,
  event: Stamped<CmsEvent>,
  settings: CmsSettings,
): readonly [CmsState, readonly CmsEffect[]] {
  const [device, deviceEffects] = deviceStep(state.device, event);
  if (OF_TRANSFERS.includes(event.type)) return [{ ...state, device }, deviceEffects];
  const [content, contentEffects] = contentStep(state.content, event, device, settings.content);
  const [sleep, sleepEffects] = sleepStep(state.sleep, event, device, content, settings.sleep);
  const sampling = sampleEffects(event, device, settings.content.refreshSeconds);
  const next = { device, content, sleep };
  return [next, [...deviceEffects, ...sampling, ...contentEffects, ...sleepEffects]];
}

function deviceStep(
  device: DeviceState,
  event: Stamped<CmsEvent>,
): readonly [DeviceState, readonly Effect[]] {
  return isOwn(event) ? [device, []] : step(device, event as Stamped);
}

/** Once a boot, and as often as the picture is refreshed. In safe mode nothing of the app is touched. */
function sampleEffects(
  event: Stamped<CmsEvent>,
  device: DeviceState,
  refreshSeconds: number,
): readonly CmsEffect[] {
  const isDue = event.type === "booted" || (event.type === "timerFired" && event.timer === "readings");
  if (!isDue || device.crashGuard.safeMode) return [];
  return [SAMPLE, { type: "setTimer", timer: "readings", delayMs: refreshSeconds * 1000 }];
}
