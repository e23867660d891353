// Reads what a decision about one device needs, with a number of queries that does not grow with the fleet. Decides nothing.

import { type DeviceLabels, NO_LABELS, type RolloutDevice } from "../shared/rollout.js";
import type { Device, FirmwareSummary, Member, Store } from "../store/store.js";
import type { Scene } from "./decision.js";
import { isLive } from "./rollout-obstacle.js";

export interface DeviceScene extends Scene<FirmwareSummary> {
  /** What rollouts offered the device so far. */
  readonly members: readonly Member[];
}

export async function readScene(store: Store, device: Device, now: number): Promise<DeviceScene> {
  const labels = await store.findLabels(device.id);
  const releases = await readReleases(store, device.type);
  const history = await store.countFailures(device.id);
  const rollouts = await store.governingRollouts(device.type);
  const members = rollouts.length > 0 ? await store.findMembers(device.id) : [];
  const leased = new Set(
    members.filter((member) => holdsLease(member, now)).map(({ rolloutId }) => rolloutId),
  );
  const limited = rollouts.filter(
    (rollout) => rollout.maxConcurrentCount !== null && isLive(rollout, now) && !leased.has(rollout.id),
  );
  const leaseCounts = await store.countLeases(
    limited.map(({ id }) => id),
    now,
  );
  const given = new Set(members.map(({ rolloutId }) => rolloutId));
  return {
    device: toSubject(device, labels),
    releases,
    rollouts,
    facts: { history, given, leased, leaseCounts },
    now,
    members,
  };
}

/** A type that is not `legacy` is never offered unsigned firmware, even if it was uploaded before the type became signed. */
export async function readReleases(store: Store, deviceType: string): Promise<readonly FirmwareSummary[]> {
  const releases = await store.activeFirmware(deviceType);
  if (releases.every(({ isSigned }) => isSigned)) return releases;
  const type = await store.findType(deviceType);
  return type?.kind === "legacy" ? releases : releases.filter(({ isSigned }) => isSigned);
}

export const holdsLease = ({ leaseUntil }: Member, now: number): boolean =>
  leaseUntil !== null && leaseUntil > now;

/** A device as rollouts see it. */
export const toSubject = (device: Device, labels: DeviceLabels = NO_LABELS): RolloutDevice => ({
  ...device,
  ...labels,
});
