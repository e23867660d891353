// Stepping stones: a release may ask for another to be installed first (min_current_version). Pure.

import { compareVersions, type Version } from "../../firmware/core/update/version.js";
import type { RolloutRelease } from "../shared/rollout.js";
import { mayStep, newestFirst, releaseVersion } from "./order.js";

/**
 * What a device has to install first that may not install `wanted` directly: the newest stone it may step on from which the way leads
 * there, over more stones if need be. `undefined`: no way leads there.
 */
export function nextStep<Release extends RolloutRelease>(
  current: Version,
  wanted: Release,
  stones: readonly Release[],
): Release | undefined {
  const between = stones
    .filter(
      (stone) =>
        compareVersions(releaseVersion(stone), current) > 0 &&
        compareVersions(releaseVersion(stone), releaseVersion(wanted)) < 0,
    )
    .sort(newestFirst);
  // From the newest to the oldest: whether the way leads from a stone depends on newer ones alone.
  const leading: Release[] = [];
  for (const stone of between) {
    const from = releaseVersion(stone);
    if (mayStep(from, wanted) || leading.some((newer) => mayStep(from, newer))) leading.push(stone);
  }
  return leading.find((stone) => mayStep(current, stone));
}
