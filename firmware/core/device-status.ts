// The status of a device, derived from its machines' states, so that no machine has to know that there is an LED. Keeps nothing.

import type { DeviceState } from "./device-state.js";
import { PERCENT_STEP, type Status } from "./status.js";

/** The current status. `error` and `identify` are not among these: they are transient, shown when something happens. */
export function statusOf(
  state: Pick<DeviceState, "wifi" | "update" | "trial" | "crashGuard" | "localApi">,
): Status {
  const { wifi, update, trial, crashGuard, localApi } = state;
  if (trial.phase === "trial" || trial.phase === "validating") return { name: "trial", percent: 0 };
  const joined = wifi.phase === "joined";
  switch (update.phase) {
    case "idle":
    case "checking":
    case "verifying":
    case "restoring":
    case "fetchingRoot":
    case "verifyingRoot":
    case "storingRoot":
    case "fetchingStatement":
    case "verifyingStatement":
      break;
    case "waiting":
      // for the network, whose status then matters more, or for the next try
      if (joined) return updating(update.job);
      break;
    case "rearming":
    case "reverting":
    case "committing":
    case "armingStaged":
    case "restarting":
      return { name: "updating", percent: 100 };
    default:
      return updating(update.job);
  }
  const isWarned = localApi.peer?.warning !== undefined || update.freshness.isFrozen;
  if (joined) return { name: crashGuard.safeMode ? "safeMode" : isWarned ? "warning" : "online", percent: 0 };
  const onlySetupHelps = wifi.phase === "unset" || (wifi.portalOpen && wifi.phase === "waiting");
  return { name: onlySetupHelps ? "setup" : "joining", percent: 0 };
}

/** The progress of a job. */
function updating(job: { readonly offset: number; readonly release: { readonly size: number } }): Status {
  if (job.offset >= job.release.size) return { name: "updating", percent: 100 };
  const stepCount = 100 / PERCENT_STEP;
  return {
    name: "updating",
    percent: Math.floor((job.offset * stepCount) / job.release.size) * PERCENT_STEP,
  };
}
