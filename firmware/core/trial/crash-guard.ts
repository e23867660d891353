// Keeps a device reachable whose app crashes in a loop: after five boots in a row that ended before they were healthy, it starts in safe
// mode, with Wi-Fi, portal and update only. The app's own part is not started, so that its crashes cannot prevent the update that fixes
// them. The status light still is, so that a person sees the state; after two more such boots it is left out too. Power losses, waking from
// deep sleep and intended restarts say nothing against the firmware: such boots are not counted.
//
//   booted ── fewer than 5 unhealthy boots before ──► starting ── 60 s, or the server reached ──► healthy (count reset)
//      └───── 5 or more ──► safe mode ── 60 s, or the server reached ──► safe mode, count reset: the next boot tries the app

import { readDigits } from "../digits.js";
import type { Effect } from "../effect.js";
import type { Booted, Raise, Stamped } from "../event.js";
import { endedBlamelessly } from "../identity.js";
import { intendedRestart } from "./restart-cause.js";

/** NVS key of the count. */
export const UNHEALTHY_KEY = "unhealthy";
const MAX_UNHEALTHY_BOOTS = 5;
/** Boots in safe mode that may crash before the status light is left out too. */
const LIGHT_TRIES = 2;
const HEALTHY_AFTER_MS = 60_000;

export interface CrashGuardState {
  readonly phase: "starting" | "healthy";
  readonly safeMode: boolean;
  /** Boots in a row that were not healthy, including this one. */
  readonly unhealthyCount: number;
}

export const initialCrashGuard: CrashGuardState = Object.freeze({
  phase: "starting",
  safeMode: false,
  unhealthyCount: 0,
});

type Step = readonly [CrashGuardState, readonly (Effect | Raise)[]];

export function crashGuardStep(state: CrashGuardState, event: Stamped): Step {
  switch (event.type) {
    case "booted":
      return begin(event);
    case "timerFired":
      return event.timer === "healthy" ? healthy(state) : [state, []];
    case "serverReached":
      return healthy(state);
    case "saveFailed":
      return event.purpose === "crash-count" ? uncounted(state, event.message) : [state, []];
    default:
      return [state, []];
  }
}

function begin(event: Booted): Step {
  const before = readCount(event.stored[UNHEALTHY_KEY]);
  const safeMode = before >= MAX_UNHEALTHY_BOOTS;
  const isNotCounted = endedBlamelessly(event.resetReason) || intendedRestart(event) !== undefined;
  const unhealthyCount = isNotCounted ? before : before + 1;
  const starts: readonly Effect[] = [
    ...(before < MAX_UNHEALTHY_BOOTS + LIGHT_TRIES ? [START_LIGHT] : []),
    ...(safeMode ? [] : [START_APP]),
  ];
  const effects: readonly (Effect | Raise)[] = [
    { type: "setTimer", timer: "healthy", delayMs: HEALTHY_AFTER_MS },
    ...(safeMode ? enterSafeMode(`${before} boots in a row were not healthy`, before) : []),
    // the count first: what starts may crash at once
    ...(unhealthyCount === before ? starts : [countThen(unhealthyCount, starts)]),
  ];
  return [{ phase: "starting", safeMode, unhealthyCount }, effects];
}

const START_LIGHT: Effect = Object.freeze({ type: "startLight" });
const START_APP: Effect = Object.freeze({ type: "startApp" });

const countThen = (count: number, next: readonly Effect[]): Effect => ({
  type: "save",
  purpose: "crash-count",
  values: { [UNHEALTHY_KEY]: `${count}` },
  next,
});

const enterSafeMode = (why: string, unhealthyCount: number): readonly (Effect | Raise)[] => [
  { type: "log", level: "error", message: `safe mode: ${why}; only network, pages and update run` },
  { type: "raise", event: { type: "safeModeEntered", unhealthyCount } },
];

/** After a crash that cannot be counted the app is not started: it might crash for ever. */
function uncounted(state: CrashGuardState, why: string): Step {
  if (state.safeMode) return [state, []];
  const effects = enterSafeMode(
    `the last boot was not healthy, which cannot be counted: ${why}`,
    state.unhealthyCount,
  );
  return [{ ...state, safeMode: true }, effects];
}

function healthy(state: CrashGuardState): Step {
  if (state.phase === "healthy") return [state, []];
  const effects: Effect[] = [{ type: "clearTimer", timer: "healthy" }];
  if (state.unhealthyCount > 0) effects.push({ type: "forget", key: UNHEALTHY_KEY });
  return [{ ...state, phase: "healthy", unhealthyCount: 0 }, effects];
}

/** An unreadable count is 0. */
const readCount = (text = ""): number => readDigits(text, 6) ?? 0;
