// What counts now among the releases of a type, for one device: the least sequence that it may still be given, and which of the others were withdrawn.
// Decides what a statement of freshness says; offers nothing.
//
//   an attempt is open                  its release: the server has just offered it
//   none                                the newest release that is for all, for the device's hardware, or, if that is not known, for any
//   others may lead the device          not above what a system contains that is published, or a distribution in a mesh
//
// Withdrawn is a release that was switched off or deleted, or of which every rollout was cancelled, unless something still leads the device to it.

import { MAX_WITHDRAWN_COUNT, WITHDRAWN_DIGITS } from "../../firmware/core/wire.js";
import type { Rollout } from "../shared/rollout.js";
import type { Device, FirmwareSummary, Store } from "../store/store.js";
import { isVersion, newestFirst } from "./order.js";
import { isForAll } from "./rollout-obstacle.js";

export interface Current {
  /** 0: any. */
  readonly newest: number;
  /** The first digits of images' digests, the newest first. */
  readonly withdrawn: readonly string[];
}

/** Of which type. */
interface Asker {
  readonly deviceId: string;
  readonly deviceType: string;
}

type Reader = Pick<
  Store,
  "activeFirmware" | "findDevice" | "findLabels" | "findOpenUpdate" | "governingRollouts" | "listWithdrawn"
>;

/**
 * A number of queries that does not grow with the fleet.
 * @param led ids of releases that others may lead the device to (releases/systems.ts)
 * @param now milliseconds since 1970
 */
export async function findCurrent(
  store: Reader,
  { deviceId, deviceType }: Asker,
  led: ReadonlySet<number>,
  now: number,
): Promise<Current> {
  const [device, { pin }, attempt, releases, rollouts] = await Promise.all([
    store.findDevice(deviceId),
    store.findLabels(deviceId),
    store.findOpenUpdate(deviceId),
    store.activeFirmware(deviceType),
    store.governingRollouts(deviceType),
  ]);
  const isLed = ({ id }: FirmwareSummary) => led.has(id);
  const isPinned = (release: FirmwareSummary) => pin !== null && isVersion(release, pin);
  const [cancelled, offered] = split(
    releases.filter(({ isSigned }) => isSigned),
    (release) => isCancelled(release, rollouts) && !isLed(release) && !isPinned(release),
  );
  const fitting = fittingTo(device?.type === deviceType ? device : undefined, offered);
  const forAll = fitting.filter(
    (release) =>
      release.isStable &&
      isForAll(release, rollouts) &&
      (release.expiresAt === null || release.expiresAt > now),
  );
  const newest =
    offered.find(({ id }) => id === attempt?.firmwareId)?.sequence ??
    Math.min(leastOf(newestOfEach(forAll)), ...offered.filter(isLed).map(({ sequence }) => sequence));
  const gone = await store.listWithdrawn(deviceType, newest, 2 * MAX_WITHDRAWN_COUNT);
  const images = new Set(fitting.map(({ imageSha256 }) => imageSha256));
  const withdrawn = [...cancelled.filter(({ sequence }) => sequence >= newest), ...gone]
    .filter(({ imageSha256 }) => !images.has(imageSha256))
    .sort((a, b) => b.sequence - a.sequence)
    .map(({ imageSha256 }) => imageSha256.slice(0, WITHDRAWN_DIGITS));
  return { newest, withdrawn: [...new Set(withdrawn)].slice(0, MAX_WITHDRAWN_COUNT) };
}

/** Its rollouts alone offer it, and none of them does any more. */
function isCancelled({ id }: FirmwareSummary, rollouts: readonly Rollout[]): boolean {
  const own = rollouts.filter(({ firmwareId }) => firmwareId === id);
  return own.length > 0 && own.every(({ state }) => state === "cancelled");
}

/** What a device reports of itself is not proved: it narrows only to what there is. */
function fittingTo(
  device: Pick<Device, "hardware" | "chip"> | undefined,
  releases: readonly FirmwareSummary[],
): readonly FirmwareSummary[] {
  const own = releases.filter(({ hardware, chip }) => hardware === device?.hardware && chip === device.chip);
  return own.length > 0 ? own : releases;
}

/** For each hardware and chip. */
function newestOfEach(releases: readonly FirmwareSummary[]): readonly FirmwareSummary[] {
  const newest = new Map<string, FirmwareSummary>();
  for (const release of [...releases].sort(newestFirst)) {
    const board = `${release.hardware} ${release.chip}`;
    if (!newest.has(board)) newest.set(board, release);
  }
  return [...newest.values()];
}

const leastOf = (releases: readonly FirmwareSummary[]): number =>
  releases.length === 0 ? 0 : Math.min(...releases.map(({ sequence }) => sequence));

function split<Item>(items: readonly Item[], isFirst: (item: Item) => boolean): readonly [Item[], Item[]] {
  const first: Item[] = [];
  const second: Item[] = [];
  for (const item of items) (isFirst(item) ? first : second).push(item);
  return [first, second];
}
