// What a device's own state proves about an open attempt: a pure function. The server believes the hash of the image that
// runs, not a claim; it is the only place where an attempt can become `success`.
//
//   image that runs   slot state            step before         verdict
//   the release's     valid, factory        any                 validated
//   the release's     none, undefined, new  none, or trial (a)  reported
//   the release's     any other             any                 onTrial
//   another           any                   armed, trial …      rolledBack, unless reset from outside
//   another           any                   before the restart  nothing: the attempt may still go on
//
//   (a) For longer than any trial. These are the states where the boot loader knows none, so it never brings the old image back. A client that
//       reports steps, as Skyslot's firmware does, then tries the image by itself; any other has done all it ever does.
//
// A loss of power or another reset from outside during the trial brings the old image back too, but says nothing against the new one:
// the device decides whether it tries again, and reports.
//
// Where there is no hash to compare, the version that runs is the only evidence: `evaluateVersion`.

import { isFromOutside } from "../../firmware/core/identity.js";
import { compareVersions } from "../../firmware/core/update/version.js";
import type { SlotState, UpdateStatus } from "../../firmware/core/wire.js";
import { versionOf } from "../shared/version-of.js";

interface Running {
  readonly imageSha256: string | null;
  readonly slotState: SlotState | null;
  readonly resetReason: string | null;
}

type Evidence = "validated" | "reported" | "onTrial" | "rolledBack" | "nothing";

/** The step of an attempt whose image runs, and has not passed its trial yet. */
export const TRIAL = "trial";

/** Steps that a device reports when its boot slot is switched already: to see the old image after them means it came back. */
const AFTER_ARMING: readonly (string | null)[] = Object.freeze(["armed", "restarting", "booted", TRIAL]);

/** Skyslot's firmware ends a trial after two minutes (trialDeadlineSeconds), unless a build is configured otherwise. */
const LONGEST_TRIAL_MS = 5 * 60_000;

/** @param trialMs how long the image has been on trial, as far as the server knows */
export function evaluateEvidence(
  attempt: { readonly status: UpdateStatus; readonly step: string | null },
  releaseImageSha256: string,
  running: Running,
  trialMs = 0,
): Evidence {
  if (running.imageSha256 === null) return "nothing";
  if (running.imageSha256 === releaseImageSha256) {
    if (isValidated(running.slotState)) return "validated";
    const hasTrial = attempt.step !== null && trialMs <= LONGEST_TRIAL_MS;
    return knowsNoStates(running.slotState) && !hasTrial ? "reported" : "onTrial";
  }
  if (attempt.status !== "installing") return "nothing";
  if (running.resetReason !== null && isFromOutside(running.resetReason)) return "nothing";
  // A client that reports no steps sends `installing` when it restarts.
  return attempt.step === null || AFTER_ARMING.includes(attempt.step) ? "rolledBack" : "nothing";
}

interface Versioned {
  readonly version: string;
  readonly build: number;
}
interface VersionedRelease {
  readonly version: string;
  readonly buildNumber: number;
}

/**
 * What the version that a device says it runs proves about an attempt. An attempt to install again what ran before is proved by nothing
 * but the device's claim. Times are milliseconds since 1970.
 */
export function evaluateVersion(
  attempt: { readonly from: Versioned; readonly claimedAt: number | null },
  release: VersionedRelease,
  running: Versioned,
  now: number,
): "reported" | "disproved" | "nothing" {
  if (attempt.claimedAt !== null) return evaluateClaim(release, running, attempt.claimedAt, now);
  return isVersionOf(release, running) && !isVersionOf(release, attempt.from) ? "reported" : "nothing";
}

/** How long a legacy device may still run the old version after it has claimed success: it restarts meanwhile. */
const RESTART_MS = 2 * 60_000;

/**
 * What a check of a device that sends no image hash proves about an attempt that it has claimed to be done: its version is the only
 * evidence. `now` and `claimedAt` are milliseconds since 1970.
 */
export function evaluateClaim(
  release: VersionedRelease,
  running: Versioned,
  claimedAt: number,
  now: number,
): "reported" | "disproved" | "nothing" {
  const order = compareToRelease(running, release);
  if (order === 0) return "reported";
  return order < 0 && now - claimedAt > RESTART_MS ? "disproved" : "nothing";
}

/** Whether it is the release's version, however it is written: `v1.2.0` is 1.2.0. */
export const isVersionOf = (release: VersionedRelease, running: Versioned): boolean =>
  compareToRelease(running, release) === 0;

/** Negative: what runs is older than the release. */
export const compareToRelease = (running: Versioned, release: VersionedRelease): number =>
  compareVersions(versionOf(running.version, running.build), versionOf(release.version, release.buildNumber));

/** Nothing can bring the image before it back by itself any more. */
export const isValidated = (state: SlotState | null): boolean => state === "valid" || state === "factory";

/** Whether an image that runs since some time stays: nothing brings the one before it back, nor does a trial that it may have of its own. */
export const isSettled = (state: SlotState | null, sinceMs: number): boolean =>
  isValidated(state) || (knowsNoStates(state) && sinceMs > LONGEST_TRIAL_MS);

/**
 * Whether the boot loader has no states for slots: the client sends none, or the one that the image was armed with is still there. A boot
 * loader with roll back support sets `new` to `pending_verify` before it starts an image.
 */
const knowsNoStates = (state: SlotState | null): boolean =>
  state === null || state === "undefined" || state === "new";
