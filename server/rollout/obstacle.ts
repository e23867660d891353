// What keeps a release from a device, whatever rollout it is in: facts of the two, and what failed before. Pure.

import { MAX_LISTING_RELEASE_LENGTH } from "../../firmware/core/wire.js";
import type { Force, RolloutDevice, RolloutRelease } from "../shared/rollout.js";
import type { FailureCount } from "../store/store.js";
import { compareToRunning } from "./order.js";

/** Roll backs on one device after which a release is not offered to it again. */
export const MAX_ROLLBACK_COUNT = 3;
/** How long a device ignores an image after it rolled it back (core/update/after-install.ts). */
export const ROLL_BACK_WAIT_MS = 10 * 60_000;
/** Failures of other kinds before the server makes a device wait, so that a hopeless attempt does not repeat every 2 minutes. */
export const PATIENT_FAILURE_COUNT = 5;
const FIRST_WAIT_MS = 10 * 60_000;
const LONGEST_WAIT_MS = 24 * 60 * 60_000;

/** Obstacles in the release and the device. */
export type FitObstacle =
  | "INACTIVE"
  | "WRONG_TYPE"
  | "WRONG_CHIP"
  | "WRONG_HARDWARE"
  | "EXPIRED"
  /** Stored by an older server: some devices run out of memory and restart when they read it, the others refuse it. */
  | "MANIFEST_TOO_LONG"
  | "NOT_NEWER"
  | "DEVICE_REFUSES";
/** Temporary obstacles, and those from the device's history. */
export type MomentObstacle = "TRIAL_RUNNING" | "ROLLED_BACK" | "WAITS_AFTER_ROLL_BACK" | "FAILED_TOO_OFTEN";

/** The first obstacle, in the order in which a person would ask. */
export function checkCompatibility(
  device: RolloutDevice,
  release: RolloutRelease,
  force: Force,
  now: number,
): FitObstacle | undefined {
  if (!release.isActive) return "INACTIVE";
  if (release.deviceType !== device.type) return "WRONG_TYPE";
  if (device.chip !== null && device.chip !== release.chip) return "WRONG_CHIP";
  if (device.hardware !== null && device.hardware !== release.hardware) return "WRONG_HARDWARE";
  if (release.expiresAt !== null && release.expiresAt <= now) return "EXPIRED";
  if ((release.manifestLength ?? 0) > MAX_LISTING_RELEASE_LENGTH) return "MANIFEST_TOO_LONG";
  const isSame = runs(device, release);
  if (!isSame && compareToRunning(release, device) > 0) return undefined;
  if (force === "none" || (force === "reinstall" && !isSame)) return "NOT_NEWER";
  return refusesOldVersions(device, release) ? "DEVICE_REFUSES" : undefined;
}

/** Whether the release is what runs: by the image's hash where it is known, else by version and build. */
export const runs = (device: RolloutDevice, release: RolloutRelease): boolean =>
  device.imageSha256 === release.imageSha256 || compareToRunning(release, device) === 0;

/**
 * A device that reports the state of its slot runs core/update/release.ts, which takes newer releases only. Or it is another system's client,
 * which takes any: for those alone there are releases without a manifest.
 */
const refusesOldVersions = (
  { slotState }: Pick<RolloutDevice, "slotState">,
  { manifestLength }: Pick<RolloutRelease, "manifestLength">,
): boolean => slotState !== null && manifestLength !== 0;

export function checkRetry(
  device: RolloutDevice,
  release: RolloutRelease,
  history: readonly FailureCount[],
  now: number,
): MomentObstacle | undefined {
  // While an image is on trial the chip cannot write the other slot (esp_ota_begin refuses).
  if (isOnTrial(device)) return "TRIAL_RUNNING";
  const failures = history.find(({ firmwareId }) => firmwareId === release.id);
  if (!failures) return undefined;
  if (failures.rolledBackCount >= MAX_ROLLBACK_COUNT) return "ROLLED_BACK";
  const until = waitsUntil(failures);
  if (now >= until) return undefined;
  return failures.failedCount >= PATIENT_FAILURE_COUNT ? "FAILED_TOO_OFTEN" : "WAITS_AFTER_ROLL_BACK";
}

export const isOnTrial = ({ slotState }: Pick<RolloutDevice, "slotState">): boolean =>
  slotState === "pending_verify" || slotState === "new";

/** When the next try may begin. Doubles with every failure after the patient ones. */
export function waitsUntil({ failedCount, lastRolledBackAt, lastFailedAt }: FailureCount): number {
  const afterRollBack = lastRolledBackAt === null ? 0 : lastRolledBackAt + ROLL_BACK_WAIT_MS;
  if (failedCount < PATIENT_FAILURE_COUNT) return Math.max(lastFailedAt, afterRollBack);
  const waitMs = FIRST_WAIT_MS * 2 ** Math.min(failedCount - PATIENT_FAILURE_COUNT, 16);
  return Math.max(lastFailedAt + Math.min(waitMs, LONGEST_WAIT_MS), afterRollBack);
}
