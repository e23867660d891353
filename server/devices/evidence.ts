// What a device's own state proves about an open attempt: a pure function. The server believes the hash of the image that
// runs, not a claim; it is the only place where an attempt can become `success`.
//
//   image that runs   slot state          step before         verdict
//   the release's     valid, factory      any                 validated
//   the release's     new, pending        any                 onTrial
//   another           any                 armed, trial …      rolledBack, unless reset from outside
//   another           any                 before the restart  nothing: the attempt may still go on
//
// A loss of power or another reset from outside during the trial brings the old image back too, but says nothing against the new one:
// the device decides whether it tries again, and reports.

import { isFromOutside } from "../../firmware/core/identity.js";
import type { SlotState, UpdateStatus } from "../../firmware/core/wire.js";

interface Running {
  readonly imageSha256: string | null;
  readonly slotState: SlotState | null;
  readonly resetReason: string | null;
}

type Evidence = "validated" | "onTrial" | "rolledBack" | "nothing";

/** Steps that a device reports when its boot slot is switched already: to see the old image after them means it came back. */
const AFTER_ARMING: readonly (string | null)[] = Object.freeze(["armed", "restarting", "booted", "trial"]);

export function evaluateEvidence(
  attempt: { readonly status: UpdateStatus; readonly step: string | null },
  releaseImageSha256: string,
  running: Running,
): Evidence {
  if (running.imageSha256 === null) return "nothing";
  if (running.imageSha256 === releaseImageSha256)
    return isValidated(running.slotState) ? "validated" : "onTrial";
  if (attempt.status !== "installing") return "nothing";
  if (running.resetReason !== null && isFromOutside(running.resetReason)) return "nothing";
  // A client that reports no steps sends `installing` when it restarts.
  return attempt.step === null || AFTER_ARMING.includes(attempt.step) ? "rolledBack" : "nothing";
}

/** How long a legacy device may still run the old version after it has claimed success: it restarts meanwhile. */
const RESTART_MS = 2 * 60_000;

/**
 * What a check of a device that sends no image hash proves about an attempt that it has claimed to be done: its version is the only
 * evidence. `now` and `claimedAt` are milliseconds since 1970.
 */
export function evaluateClaim(
  release: { readonly version: string; readonly buildNumber: number },
  running: { readonly version: string; readonly build: number },
  claimedAt: number,
  now: number,
): "reported" | "disproved" | "nothing" {
  if (running.version === release.version && running.build === release.buildNumber) return "reported";
  return now - claimedAt > RESTART_MS ? "disproved" : "nothing";
}

/** Nothing can bring the image before it back by itself any more. */
export const isValidated = (state: SlotState | null): boolean => state === "valid" || state === "factory";
