// Reads what a decision about one device needs, with a number of queries that does not grow with the fleet. Decides nothing.

import type { SlotState } from "../../firmware/core/wire.js";
import { TRIAL } from "../devices/evidence.js";
import { isCounted, standingOf } from "../devices/vouching.js";
import { type DeviceLabels, NO_LABELS, type Rollout, type RolloutDevice } from "../shared/rollout.js";
import type { Device, DeviceTraces, FirmwareSummary, Member, Store, Update } from "../store/store.js";
import type { Scene } from "./decision.js";
import { nameByImage } from "./order.js";
import { isLive } from "./rollout-obstacle.js";

export interface DeviceScene extends Scene<FirmwareSummary> {
  /** What rollouts offered the device so far. */
  readonly members: readonly Member[];
}

/**
 * @param open the device's attempt, if one is open
 * @param there what there is to read; absent: that is not known
 */
export async function readScene(
  store: Store,
  device: Device,
  now: number,
  open?: Update,
  there: Pick<DeviceTraces, "hasLabels" | "hasFailedUpdate"> = { hasLabels: true, hasFailedUpdate: true },
): Promise<DeviceScene> {
  const labels = there.hasLabels ? await store.findLabels(device.id) : NO_LABELS;
  const releases = await readReleases(store, device.type);
  const history = there.hasFailedUpdate ? await store.countFailures(device.id) : [];
  const rollouts = await store.governingRollouts(device.type);
  const members = rollouts.length > 0 ? await store.findMembers(device.id) : [];
  const leased = new Set(
    members.filter((member) => holdsLease(member, now)).map(({ rolloutId }) => rolloutId),
  );
  const limited = rollouts.filter(
    (rollout) => rollout.maxConcurrentCount !== null && isLive(rollout, now) && !leased.has(rollout.id),
  );
  const leaseCounts = await countPlaces(store, device, limited, now);
  const given = new Set(members.map(({ rolloutId }) => rolloutId));
  return {
    device: nameByImage({ ...toSubject(device, labels), slotState: slotStateOf(device, open) }, releases),
    releases,
    rollouts,
    facts: { history, given, leased, leaseCounts },
    now,
    members,
  };
}

/**
 * Places that are taken for a device. One that a rollout does not count waits for all others, and none that counts waits for it: invented
 * devices would keep every place for as long as somebody invents new ones. So up to twice as many may update.
 */
async function countPlaces(
  store: Store,
  { id }: Device,
  limited: readonly Rollout[],
  now: number,
): Promise<ReadonlyMap<number, number>> {
  if (limited.length === 0) return new Map();
  const leases = await store.countLeases(
    limited.map((rollout) => rollout.id),
    now,
  );
  const standing = standingOf(await store.findIdentity(id));
  return new Map(
    limited.map((rollout) => {
      const { count = 0, countedCount = 0 } = leases.get(rollout.id) ?? {};
      return [rollout.id, isCounted(standing, rollout) ? countedCount : count];
    }),
  );
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

/**
 * What its state means for updates. While an attempt's image is tried, the boot loader's or the firmware's own trial goes on. Without such an
 * attempt `new` only shows that the boot loader knows no states: it would have set it to `pending_verify`.
 */
function slotStateOf({ slotState }: Device, open: Update | undefined): SlotState | null {
  if (open?.status === "installing" && open.step === TRIAL) return "pending_verify";
  return slotState === "new" ? "undefined" : slotState;
}
