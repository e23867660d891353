// Intermediate releases: a release may require another to be installed first (min_current_version). Pure.

import { compareVersions, type Version } from "../../firmware/core/update/version.js";
import type { RolloutRelease } from "../shared/rollout.js";
import { mayStep, newestFirst, releaseVersion } from "./order.js";

/**
 * What a device installs next that may not install `wanted` directly: the newest release that it may install and that leads there, over
 * more of them if need be. `undefined`: none leads there.
 */
export function nextStep<Release extends RolloutRelease>(
  current: Version,
  wanted: Release,
  intermediate: readonly Release[],
): Release | undefined {
  const between = intermediate
    .filter(
      (step) =>
        compareVersions(releaseVersion(step), current) > 0 &&
        compareVersions(releaseVersion(step), releaseVersion(wanted)) < 0,
    )
    .sort(newestFirst);
  // From the newest to the oldest: whether a release leads there depends on newer ones alone.
  const leading: Release[] = [];
  for (const step of between) {
    const from = releaseVersion(step);
    if (mayStep(from, wanted) || leading.some((newer) => mayStep(from, newer))) leading.push(step);
  }
  return leading.find((step) => mayStep(current, step));
}
