// The order of versions as rollouts see it.

import {
  compareVersions,
  parseVersion,
  readRunningVersion,
  type Version,
} from "../../firmware/core/update/version.js";
import type { RolloutDevice, RolloutRelease } from "../shared/rollout.js";
import { versionOf } from "../shared/version-of.js";

export const releaseVersion = (release: Pick<RolloutRelease, "version" | "buildNumber">): Version =>
  versionOf(release.version, release.buildNumber);

/** Newest first; of two that are equal the one that came later. */
export const newestFirst = (
  a: Pick<RolloutRelease, "id" | "version" | "buildNumber">,
  b: Pick<RolloutRelease, "id" | "version" | "buildNumber">,
): number => compareVersions(releaseVersion(b), releaseVersion(a)) || b.id - a.id;

/** Negative: the release is older than what the device runs. */
export const compareToRunning = (release: RolloutRelease, device: RolloutDevice): number =>
  compareVersions(releaseVersion(release), versionOf(device.version, device.build));

/** Whether what a device says it runs has any number: what has none counts as older than every release, but says nothing. */
export const statesVersion = ({ version }: Pick<RolloutDevice, "version">): boolean =>
  /^\s*v?\d/.test(version);

/**
 * A device whose image is that of a release runs that release, whatever version its client states: a sketch may state none, or the same one
 * for ever.
 */
export function nameByImage(device: RolloutDevice, releases: readonly RolloutRelease[]): RolloutDevice {
  const { imageSha256 } = device;
  if (imageSha256 === null || imageSha256 === "") return device;
  const same = releases.filter((release) => release.imageSha256 === imageSha256);
  if (same.some((release) => compareToRunning(release, device) === 0)) return device;
  const [newest] = same.sort(newestFirst);
  return newest ? { ...device, version: newest.version, build: newest.buildNumber } : device;
}

/** How a manifest says that any version will do. */
const NO_MINIMUM = "0.0.0";

/** Whether a version may install a release directly, as far as intermediate releases go. */
export function mayStep(from: Version, release: Pick<RolloutRelease, "minCurrentVersion">): boolean {
  const { minCurrentVersion: minimum } = release;
  return (
    minimum === null || minimum === NO_MINIMUM || compareVersions(from, readRunningVersion(minimum)) >= 0
  );
}

/** Whether a release is of a version that was asked for: without a build number every build is. */
export function isVersion(release: Pick<RolloutRelease, "version" | "buildNumber">, wanted: string): boolean {
  const parsed = parseVersion(wanted);
  if (!parsed) return false;
  const { build, ...own } = releaseVersion(release);
  const sameBuild = !wanted.includes("+") || parsed.build === build;
  return sameBuild && compareVersions({ ...own, build: 0 }, { ...parsed, build: 0 }) === 0;
}
