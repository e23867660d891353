// Which release a device is offered: a pure function of the device, the releases, what failed before and the time. The tests,
// the `plan` of a device and the simulator call the same function as the server does.

import { compareVersions, parseVersion, type Version } from "../firmware/core/version.js";
import type { Device, FailureCount, Firmware } from "./store/store.js";

/** A release that a device rolled back so often is not offered to it again: it does not work there. */
export const MAX_ROLLBACK_COUNT = 3;
/** Failures of other kinds before the server makes a device wait, so that a hopeless attempt does not repeat every 2 minutes. */
export const PATIENT_FAILURE_COUNT = 5;
const FIRST_WAIT_MS = 10 * 60_000;
const LONGEST_WAIT_MS = 24 * 60 * 60_000;

export type RolloutDevice = Pick<
  Device,
  "type" | "hardware" | "chip" | "version" | "build" | "imageSha256" | "slotState"
>;
export type RolloutRelease = Pick<
  Firmware,
  | "id"
  | "deviceType"
  | "hardware"
  | "chip"
  | "version"
  | "buildNumber"
  | "imageSha256"
  | "isStable"
  | "isActive"
  | "minCurrentVersion"
  | "expiresAt"
>;

/** Why a release is or is not offered. */
export type Verdict =
  | "OFFERED"
  | "NEWER_OFFERED"
  | "TRIAL_RUNNING"
  | "INACTIVE"
  | "NOT_STABLE"
  | "WRONG_TYPE"
  | "WRONG_CHIP"
  | "WRONG_HARDWARE"
  | "EXPIRED"
  | "NOT_NEWER"
  | "CURRENT_TOO_OLD"
  | "ROLLED_BACK"
  | "FAILED_TOO_OFTEN";

export interface Plan<Release extends RolloutRelease> {
  readonly release: Release | undefined;
  /** One for every release, in the order given. */
  readonly verdicts: readonly { readonly firmwareId: number; readonly verdict: Verdict }[];
}

/** The newest release that the device may install directly, and why the others are not it. `now` is milliseconds since 1970. */
export function chooseRelease<Release extends RolloutRelease>(
  device: RolloutDevice,
  releases: readonly Release[],
  history: readonly FailureCount[],
  now: number,
): Plan<Release> {
  const judged = releases.map((release) => ({
    release,
    obstacle: findObstacle(device, release, history, now),
  }));
  const [newest] = judged
    .filter(({ obstacle }) => obstacle === undefined)
    .map(({ release }) => release)
    .sort(
      (a, b) =>
        compareVersions(versionOf(b.version, b.buildNumber), versionOf(a.version, a.buildNumber)) ||
        b.id - a.id,
    );
  const verdicts = judged.map(({ release, obstacle }) => ({
    firmwareId: release.id,
    verdict: obstacle ?? (release === newest ? "OFFERED" : "NEWER_OFFERED"),
  }));
  return { release: newest, verdicts };
}

/** What keeps a release from a device; the order is that in which a person would ask. */
function findObstacle(
  device: RolloutDevice,
  release: RolloutRelease,
  history: readonly FailureCount[],
  now: number,
): Verdict | undefined {
  if (!release.isActive) return "INACTIVE";
  if (!release.isStable) return "NOT_STABLE";
  if (release.deviceType !== device.type) return "WRONG_TYPE";
  if (device.chip !== null && device.chip !== release.chip) return "WRONG_CHIP";
  if (device.hardware !== null && device.hardware !== release.hardware) return "WRONG_HARDWARE";
  if (release.expiresAt !== null && release.expiresAt <= now) return "EXPIRED";
  const current = versionOf(device.version, device.build);
  if (device.imageSha256 === release.imageSha256) return "NOT_NEWER";
  if (compareVersions(versionOf(release.version, release.buildNumber), current) <= 0) return "NOT_NEWER";
  const minimum = release.minCurrentVersion === null ? undefined : parseVersion(release.minCurrentVersion);
  if (minimum && compareVersions(current, minimum) < 0) return "CURRENT_TOO_OLD";
  // While an image is on trial the chip cannot write the other slot (esp_ota_begin refuses).
  if (device.slotState === "pending_verify" || device.slotState === "new") return "TRIAL_RUNNING";
  const failures = history.find(({ firmwareId }) => firmwareId === release.id);
  if (failures && failures.rolledBackCount >= MAX_ROLLBACK_COUNT) return "ROLLED_BACK";
  if (failures && now < waitsUntil(failures)) return "FAILED_TOO_OFTEN";
  return undefined;
}

/** Doubles with every failure after the patient ones. */
function waitsUntil({ failedCount, lastFailedAt }: FailureCount): number {
  if (failedCount < PATIENT_FAILURE_COUNT) return lastFailedAt;
  const waitMs = FIRST_WAIT_MS * 2 ** Math.min(failedCount - PATIENT_FAILURE_COUNT, 16);
  return lastFailedAt + Math.min(waitMs, LONGEST_WAIT_MS);
}

/** A version that cannot be read is older than every release: such a device needs one. */
function versionOf(text: string, build: number): Version {
  const parsed = parseVersion(text);
  return parsed ? { ...parsed, build } : { major: 0, minor: 0, patch: 0, preRelease: ["0"], build: 0 };
}
