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
    default:
      return [state, []];
  }
}

function begin(event: Booted): Step {
  const before = readCount(event.stored[UNHEALTHY_KEY]);
  const safeMode = before >= MAX_UNHEALTHY_BOOTS;
  const isNotCounted = endedBlamelessly(event.resetReason) || intendedRestart(event) !== undefined;
  const unhealthyCount = isNotCounted ? before : before + 1;
  const effects: (Effect | Raise)[] = [];
  // before the app starts: it may crash at once
  if (unhealthyCount !== before)
    effects.push({ type: "store", key: UNHEALTHY_KEY, value: `${unhealthyCount}` });
  effects.push({ type: "setTimer", timer: "healthy", delayMs: HEALTHY_AFTER_MS });
  if (before < MAX_UNHEALTHY_BOOTS + LIGHT_TRIES) effects.push({ type: "startLight" });
  if (safeMode) {
    const message = `safe mode: ${before} boots in a row were not healthy; only network, pages and update run`;
    effects.push({ type: "log", level: "error", message });
    effects.push({ type: "raise", event: { type: "safeModeEntered", unhealthyCount: before } });
  } else effects.push({ type: "startApp" });
  return [{ phase: "starting", safeMode, unhealthyCount }, effects];
}

function healthy(state: CrashGuardState): Step {
  if (state.phase === "healthy") return [state, []];
  const effects: Effect[] = [{ type: "clearTimer", timer: "healthy" }];
  if (state.unhealthyCount > 0) effects.push({ type: "forget", key: UNHEALTHY_KEY });
  return [{ ...state, phase: "healthy", unhealthyCount: 0 }, effects];
}

/** An unreadable count is 0. */
const readCount = (text = ""): number => readDigits(text, 6) ?? 0;
