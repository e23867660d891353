// The status LED: on or off as a function of status and time. Sets no timer and no pin: platform/status-led/status-led.ts does.
//
//   setup      ████████████████────────────────   1 s on, 1 s off
//   joining    ████────████────████────████────   quarter seconds
//   online     ████████████████████████████████
//   warning    ██████████████████──██████████████████──   off for a tenth of each second
//   updating   ████████────────████████────────   half seconds, inverted after each 5 %
//   trial      ██──██────────────██──██────────   two flashes
//   safeMode   ██──██──██──────────────────────   three flashes
//   error      ██──██──██──██──██──██──██──██──██──██──   ten rapid blinks, then as before
//   identify   █─█─█─█─█─█─█─█─█─█─█─█─█─█─█─█─█─█─█─█─   a flicker for 30 s, then as before

import { IDENTIFY_MS, isPassing, PERCENT_STEP, type Status, type StatusName } from "./status.js";

/** Milliseconds on, off, on, off … from the beginning again at its end; empty: always on. */
const RHYTHMS: Readonly<Record<StatusName, readonly number[]>> = Object.freeze({
  setup: Object.freeze([1000, 1000]),
  joining: Object.freeze([250, 250]),
  online: Object.freeze([]),
  warning: Object.freeze([900, 100]),
  updating: Object.freeze([500, 500]),
  trial: Object.freeze([100, 100, 100, 700]),
  safeMode: Object.freeze([100, 100, 100, 100, 100, 1000]),
  error: Object.freeze([100, 100]),
  identify: Object.freeze([50, 50]),
});

const ERROR_BLINK_COUNT = 10;
const ERROR_MS = ERROR_BLINK_COUNT * 200;

/** What the LED shows, and since when (ms since boot). */
export interface LedState {
  readonly status: Status;
  readonly sinceMs: number;
  /** The last transient status, and when it began to be shown. */
  readonly passing: { readonly name: StatusName; readonly atMs: number } | undefined;
}

export interface Light {
  readonly on: boolean;
  /** How long it stays so, ms; undefined: until the status changes. */
  readonly lastsMs: number | undefined;
}

export const initialLed: LedState = Object.freeze({
  status: Object.freeze({ name: "setup", percent: 0 }),
  sinceMs: 0,
  passing: undefined,
});

/** A new status. A transient one is shown to its end, whatever comes meanwhile; the rhythm of an update continues from step to step. */
export function showStatus(state: LedState, status: Status, atMs: number): LedState {
  if (isPassing(status)) return { ...state, passing: { name: status.name, atMs } };
  const sinceMs = status.name === state.status.name ? state.sinceMs : atMs;
  return { ...state, status, sinceMs };
}

/** On or off at this time, ms since boot. */
export function lightAt({ status, sinceMs, passing }: LedState, atMs: number): Light {
  if (passing) {
    const passedMs = atMs - passing.atMs;
    if (passedMs < (passing.name === "error" ? ERROR_MS : IDENTIFY_MS))
      return beat(RHYTHMS[passing.name], passedMs);
  }
  const light = beat(RHYTHMS[status.name], atMs - sinceMs);
  const turned = status.name === "updating" && (status.percent / PERCENT_STEP) % 2 === 1;
  return turned ? { ...light, on: !light.on } : light;
}

function beat(rhythm: readonly number[], passedMs: number): Light {
  const cycleMs = rhythm.reduce((sum, ms) => sum + ms, 0);
  if (cycleMs === 0) return { on: true, lastsMs: undefined };
  let leftMs = passedMs % cycleMs;
  let index = 0;
  for (const ms of rhythm) {
    if (leftMs < ms) return { on: index % 2 === 0, lastsMs: ms - leftMs };
    leftMs -= ms;
    index += 1;
  }
  return { on: false, lastsMs: 1 };
}
