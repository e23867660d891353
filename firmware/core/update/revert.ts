// Back to the firmware before, by order of the device that leads several: one of them has failed with the new version, and none keeps it. Only
// the image that the word names is left, and only for one that is there: the word may be late, and may come twice. During its trial an image is
// not left here: it either fails, and the boot loader does it, or passes, and the word comes again.
//
//   idle, checking ─ it runs ─► reverting ─ another image can start ─► noted as rolled back, the boot loader starts the other one
//                                   └───── none can ─► idle
//
// The same as the owner's roll back (local/api.ts), which also keeps the server's next offer from bringing the image again.

import type { Effect } from "../effect.js";
import { TRIAL_REASON_KEY } from "../trial/boot-validation.js";
import { BLOCKED_IMAGE_KEY } from "./record.js";
import { endCheck } from "./staging.js";
import { enter, nextAttempt, nextCheck, type Step, type UpdateState } from "./state.js";

/** What the image before tells the server, if the update's result is not told yet. */
const REASON = "the devices that are updated together went back to their last versions";

/** @param sha256 of the image that is to be left: if another one runs, nothing happens */
export function revert(state: UpdateState, sha256: string): Step {
  const { boot, onTrial, staged, phase } = state;
  if (boot?.image.imageSha256 !== sha256 || (phase !== "idle" && phase !== "checking")) return [state, []];
  if (onTrial) return [state, [log("warn", "not rolled back yet: the firmware is on trial")]];
  if (staged)
    return [state, [log("error", `not rolled back: the other slot holds ${staged.version}, never tried`)]];
  return [
    enter(state, { phase: "reverting", attempt: nextAttempt(state) }),
    [...endCheck(state), { type: "checkRollBack", connection: 0 }],
  ];
}

export function revertChecked(state: UpdateState, isPossible: boolean, random: number): Step {
  if (!isPossible) {
    const idle = enter(state, { phase: "idle" });
    const message = "not rolled back: there is no other image to go back to";
    return [idle, [log("error", message), nextCheck(idle, random)]];
  }
  return [
    enter(state, { phase: "restarting" }),
    [
      log("warn", `rolling back: ${REASON}`),
      { type: "store", key: BLOCKED_IMAGE_KEY, value: state.boot?.image.imageSha256 ?? "" },
      { type: "store", key: TRIAL_REASON_KEY, value: REASON },
      { type: "rollBack" },
    ],
  ];
}

const log = (level: "warn" | "error", message: string): Effect => ({ type: "log", level, message });
