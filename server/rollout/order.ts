// The order of versions as rollouts see it.

import { compareVersions, parseVersion, type Version } from "../../firmware/core/version.js";
import type { RolloutDevice, RolloutRelease } from "./model.js";

/** A version that cannot be read is older than every release: such a device needs one. */
export function versionOf(text: string, build: number): Version {
  const parsed = parseVersion(text);
  return parsed ? { ...parsed, build } : { major: 0, minor: 0, patch: 0, preRelease: ["0"], build: 0 };
}

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

/** Whether a version may install a release directly, as far as stepping stones go. */
export function mayStep(from: Version, release: Pick<RolloutRelease, "minCurrentVersion">): boolean {
  const minimum = release.minCurrentVersion === null ? undefined : parseVersion(release.minCurrentVersion);
  return !minimum || compareVersions(from, minimum) >= 0;
}

/** Whether a release is of a version that was asked for: without a build number every build is. */
export function isVersion(release: Pick<RolloutRelease, "version" | "buildNumber">, wanted: string): boolean {
  const parsed = parseVersion(wanted);
  if (!parsed) return false;
  const { build, ...own } = releaseVersion(release);
  const sameBuild = !wanted.includes("+") || parsed.build === build;
  return sameBuild && compareVersions({ ...own, build: 0 }, { ...parsed, build: 0 }) === 0;
}
