// The device of the `cms` app: what every device does, and beside it a panel with a picture, sensors, and sleep. Its own machines see
// each event after the device has, with what the device has become; they only read it. This file only composes.

import { step } from "../../../core/device.js";
import { type DeviceState, initialDevice } from "../../../core/device-state.js";
import type { Effect } from "../../../core/effect.js";
import type { Stamped } from "../../../core/event.js";
import {
  type ContentSettings,
  type ContentState,
  contentStep,
  type DrawPanel,
  initialContent,
} from "./content.js";
import { type DeepSleep, initialSleep, type SleepSettings, type SleepState, sleepStep } from "./sleep.js";

/** Reads the sensors; answered by readingsTaken. */
export interface SampleSensors {
  readonly type: "sampleSensors";
}

/** What only this app can do to the world. */
export type CmsEffect = DrawPanel | SampleSensors | DeepSleep;

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

/** What the device becomes, and what it does, in order. */
export function cmsStep(
  state: CmsState,
  event: Stamped,
  settings: CmsSettings,
): readonly [CmsState, readonly (Effect | CmsEffect)[]] {
  const [device, deviceEffects] = step(state.device, event);
  const [content, contentEffects] = contentStep(state.content, event, device, settings.content);
  const [sleep, sleepEffects] = sleepStep(state.sleep, event, device, content, settings.sleep);
  return [
    { device, content, sleep },
    [
      ...deviceEffects,
      ...sampleEffects(event, device, settings.content.refreshSeconds),
      ...contentEffects,
      ...sleepEffects,
    ],
  ];
}

/** Once a boot, and as often as the picture is looked after. In safe mode nothing of the app is touched. */
function sampleEffects(
  event: Stamped,
  device: DeviceState,
  refreshSeconds: number,
): readonly (Effect | SampleSensors)[] {
  const isDue = event.type === "booted" || (event.type === "timerFired" && event.timer === "readings");
  if (!isDue || device.crashGuard.safeMode) return [];
  return [SAMPLE, { type: "setTimer", timer: "readings", delayMs: refreshSeconds * 1000 }];
}
