// The order of versions as rollouts see it.

import {
  compareVersions,
  parseVersion,
  readRunningVersion,
  type Version,
} from "../../firmware/core/update/version.js";
import type { RolloutDevice, RolloutRelease } from "../shared/rollout.js";

/** Of what a device says it runs, and of releases that were taken when less strict versions were. */
export function versionOf(text: string, build: number): Version {
  const read = readVersion(text);
  return read.build === build ? read : { ...read, build };
}

/** A fleet runs few versions, and a decision reads the same ones again and again. Devices make them up, so the number is bounded. */
const MAX_READ_COUNT = 1000;
const readVersions = new Map<string, Version>();

function readVersion(text: string): Version {
  const known = readVersions.get(text);
  if (known) return known;
  if (readVersions.size >= MAX_READ_COUNT) readVersions.clear();
  const read = readRunningVersion(text);
  readVersions.set(text, read);
  return read;
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
