// Which devices a rollout is for, and in which stage. Pure.

import { compareVersions, parseVersion, type Version } from "../../firmware/core/update/version.js";
import type { RolloutDevice, RolloutPlan, Target } from "../shared/rollout.js";
import { versionOf } from "../shared/version-of.js";
import { bucketOf, isWithin } from "./bucket.js";

/** What keeps a device out of a target, as a sentence's end; `undefined`: it is in. */
export function missesTarget(target: Target, device: RolloutDevice): string | undefined {
  const { hardware, tags, groups, devices } = target;
  if (devices && !devices.includes(device.id))
    return `${device.id} is not one of its ${devices.length} devices`;
  if (hardware && (device.hardware === null || !hardware.includes(device.hardware)))
    return `it is for hardware ${hardware.join(", ")}, the device has ${device.hardware ?? "reported none"}`;
  if (groups && (device.group === null || !groups.includes(device.group)))
    return `it is for group ${groups.join(", ")}, the device is in ${device.group ?? "none"}`;
  if (tags && !tags.some((tag) => device.tags.includes(tag)))
    return `it is for tag ${tags.join(" or ")}, the device has ${device.tags.join(", ") || "none"}`;
  return missesVersions(target, device);
}

function missesVersions({ fromVersion, toVersion }: Target, device: RolloutDevice): string | undefined {
  const current = versionOf(device.version, device.build);
  const oldest = parseVersion(fromVersion ?? "");
  const newest = newestOf(toVersion);
  if (oldest && compareVersions(current, oldest) < 0)
    return `it is for ${fromVersion} and newer, the device runs ${device.version}`;
  if (newest && compareVersions(current, newest) > 0)
    return `it is for ${toVersion} and older, the device runs ${device.version}`;
  return undefined;
}

/** A bound without a build number means the version with all of its builds. */
function newestOf(toVersion = ""): Version | undefined {
  const version = parseVersion(toVersion);
  return version && !toVersion.includes("+") ? { ...version, build: Number.MAX_SAFE_INTEGER } : version;
}

/** Whether no version at all lies between its oldest and its newest. */
export function isEmptyRange({ fromVersion, toVersion }: Target): boolean {
  const [oldest, newest] = [parseVersion(fromVersion ?? ""), newestOf(toVersion)];
  return oldest !== undefined && newest !== undefined && compareVersions(oldest, newest) > 0;
}

/** In which of its terms a target has devices that another has not, such as `tags`; `undefined`: in none. */
export function findWidening(before: Target, after: Target): string | undefined {
  for (const name of ["hardware", "tags", "groups", "devices"] as const) {
    const [known, wanted] = [before[name], after[name]];
    if (known && !wanted?.every((one) => known.includes(one))) return name;
  }
  const [oldest, newest] = [parseVersion(before.fromVersion ?? ""), newestOf(before.toVersion)];
  const [nextOldest, nextNewest] = [parseVersion(after.fromVersion ?? ""), newestOf(after.toVersion)];
  if (oldest && (!nextOldest || compareVersions(nextOldest, oldest) < 0)) return "from version";
  if (newest && (!nextNewest || compareVersions(nextNewest, newest) > 0)) return "to version";
  return undefined;
}

/** Index of the first stage that has the device; `undefined`: none of them. */
export function stageOf(
  { stages, seed }: Pick<RolloutPlan, "stages" | "seed">,
  device: RolloutDevice,
): number | undefined {
  let bucket: number | undefined;
  const index = stages.findIndex(({ percent, groups }) => {
    if (groups) return device.group !== null && groups.includes(device.group);
    bucket ??= bucketOf(seed, device.id);
    return isWithin(bucket, percent);
  });
  return index < 0 ? undefined : index;
}
