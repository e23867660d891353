// When a battery-powered device sleeps. Waking from deep sleep is a boot like any other, with nothing but NVS kept, so this only decides
// when to sleep. It checks once a second, and never sleeps while
//   - a new image is on trial, or an update or a push is in progress, or its result is not reported,
//   - the device needs to be set up, or its pages are in use,
//   - the firmware is in safe mode.
// Otherwise it sleeps when a check was answered, results of orders are reported and the panel is up to date, and in any case after
// `longestSeconds`. An update that has lost its network is waited for as long: it resumes after any restart.

import { jitteredMs } from "../../../core/backoff.js";
import type { DeviceState } from "../../../core/device-state.js";
import type { Stamp, Stamped } from "../../../core/event.js";
import type { ContentState } from "./content.js";
import type { CmsEffect, CmsEvent } from "./vocabulary.js";

export interface SleepSettings {
  /** Between two times awake; 0: never sleeps. */
  readonly seconds: number;
  /** Shortest time awake after sleeping, for a waiting push. */
  readonly awakeSeconds: number;
  /** The same after any other start, for a person at the device. */
  readonly firstAwakeSeconds: number;
  /** Without a network or a server it sleeps after this time all the same. */
  readonly longestSeconds: number;
}

export interface SleepState {
  readonly isOn: boolean;
  /** Milliseconds since this boot. */
  readonly awakeUntilMs: number;
  /** When its pages were used last; before the boot: never. */
  readonly usedAtMs: number;
  /** When it was seen online last. */
  readonly onlineAtMs: number;
}

export const initialSleep: SleepState = Object.freeze({
  isOn: false,
  awakeUntilMs: 0,
  usedAtMs: Number.NEGATIVE_INFINITY,
  onlineAtMs: 0,
});

const INTERVAL_MS = 1_000;
/** Its pages count as in use for this time after a request. */
const IN_USE_MS = 120_000;

type Step = readonly [SleepState, readonly CmsEffect[]];

/** @param device, content: as they are after this event */
export function sleepStep(
  state: SleepState,
  event: Stamped<CmsEvent>,
  device: DeviceState,
  content: ContentState,
  settings: SleepSettings,
): Step {
  switch (event.type) {
    case "booted": {
      const isOn = settings.seconds > 0 && !device.crashGuard.safeMode;
      const awakeSeconds =
        event.resetReason === "deep-sleep" ? settings.awakeSeconds : settings.firstAwakeSeconds;
      return [{ ...initialSleep, isOn, awakeUntilMs: awakeSeconds * 1000 }, isOn ? [CHECK_AGAIN] : []];
    }
    case "requestReceived":
    case "pushRequested":
    case "clientAttached":
      return [{ ...state, usedAtMs: event.at }, []];
    case "timerFired":
      if (event.timer !== "sleep" || !state.isOn) return [state, []];
      return look(
        device.update.online ? { ...state, onlineAtMs: event.at } : state,
        event,
        device,
        content,
        settings,
      );
    default:
      return [state, []];
  }
}

const CHECK_AGAIN: CmsEffect = Object.freeze({
  type: "setTimer",
  timer: "sleep",
  delayMs: INTERVAL_MS,
} as const);

function look(
  state: SleepState,
  { at, random }: Stamp,
  device: DeviceState,
  content: ContentState,
  settings: SleepSettings,
): Step {
  return mustStay(state, at, device, settings) || !mayGo(state, at, device, content, settings)
    ? [state, [CHECK_AGAIN]]
    : goToSleep(state, random, settings);
}

function mustStay(
  { usedAtMs, onlineAtMs }: SleepState,
  at: number,
  { trial, update, report, wifi }: DeviceState,
  { longestSeconds }: SleepSettings,
): boolean {
  const isStranded = update.phase === "waiting" && !update.online && at - onlineAtMs >= longestSeconds * 1000;
  const isOnTrial = trial.phase !== "none" && trial.phase !== "passed";
  const isTelling = report.online && (report.queue.length > 0 || report.abilities !== "");
  return (
    isOnTrial ||
    isTelling ||
    (update.phase !== "idle" && !isStranded) ||
    wifi.phase === "unset" ||
    wifi.clientCount > 0 ||
    at - usedAtMs < IN_USE_MS
  );
}

function mayGo(
  { awakeUntilMs }: SleepState,
  at: number,
  { update }: DeviceState,
  content: ContentState,
  { longestSeconds }: SleepSettings,
): boolean {
  if (at < awakeUntilMs || content.phase === "drawing") return false;
  const isDone = update.isAnswered && update.orderResults.length === 0 && content.settled;
  return isDone || at >= longestSeconds * 1000;
}

function goToSleep(state: SleepState, random: number, { seconds }: SleepSettings): Step {
  const durationMs = jitteredMs(seconds * 1000, random);
  return [
    { ...state, isOn: false },
    [
      { type: "log", level: "info", message: `sleeping for ${Math.round(durationMs / 1000)} s` },
      { type: "withdraw" },
      { type: "leaveWifi" },
      { type: "deepSleep", durationMs },
    ],
  ];
}
