// What a rollout would do to the whole fleet, one page of it in detail, with what a person should know beside the numbers.

import { findPolicy } from "../devices/identity.js";
import { countDevices, nameAuthors, nameRelease, type Rollout } from "../shared/rollout.js";
import type { Firmware, Store } from "../store/store.js";
import { type ExcludedDevice, isPlanned, type PlannedDevice, type PlannedStage } from "./plan.js";
import { notePrecedents, Overlaps } from "./precedents.js";
import { readFleet } from "./scan-fleet.js";
import { noteUnvouched } from "./unvouched.js";
import type { Verdict } from "./verdicts.js";

export interface FleetPlan {
  readonly stages: readonly PlannedStage[];
  /** Devices that get it, whether they count or not. */
  readonly deviceCount: number;
  /** Of these, the ones that do not count. */
  readonly uncountedCount: number;
  /** Of these, the ones that nobody vouched for. */
  readonly unvouchedCount: number;
  readonly excludedCount: number;
  readonly bytes: number;
  /** How many devices are excluded for each reason. */
  readonly excludedBy: ReadonlyMap<Verdict, number>;
  /** The wanted piece of each list. */
  readonly devices: readonly (PlannedDevice & Pick<PlannedStage, "earliestAt">)[];
  readonly excluded: readonly ExplainedDevice[];
  /** What a person should know beside the numbers. */
  readonly notes: readonly string[];
}

interface ExplainedDevice extends ExcludedDevice {
  /** Why, for a person. */
  readonly sentence: string;
}

export async function planRollout(
  store: Store,
  rollout: Rollout,
  now: number,
  page: { readonly limit: number; readonly offset: number },
): Promise<FleetPlan> {
  const devices: PlannedDevice[] = [];
  const excluded: ExplainedDevice[] = [];
  const excludedBy = new Map<Verdict, number>();
  let deviceCount = 0;
  let excludedCount = 0;
  const isOnPage = (index: number) => index >= page.offset && index < page.offset + page.limit;
  const known = await store.findFirmware(rollout.firmwareId);
  const overlaps = new Overlaps(rollout, known ? await store.governingRollouts(known.deviceType) : []);
  const { planner, firmware } = await readFleet(store, rollout, now, (entry, subject, planner) => {
    if (isPlanned(entry)) {
      overlaps.add(subject.device);
      if (isOnPage(deviceCount++)) devices.push(entry);
    } else {
      if (isOnPage(excludedCount++))
        excluded.push({ ...entry, sentence: planner.explain(subject, entry.verdict) });
      excludedBy.set(entry.verdict, (excludedBy.get(entry.verdict) ?? 0) + 1);
    }
  });
  const { stages, unvouchedCount } = planner;
  const uncountedCount = stages.reduce((sum, stage) => sum + stage.uncountedCount, 0);
  const policy = firmware && (await findPolicy({ store }, firmware.deviceType));
  const countedCount = unvouchedCount - uncountedCount;
  return {
    stages,
    deviceCount,
    uncountedCount,
    unvouchedCount,
    excludedCount,
    bytes: stages.reduce((sum, { bytes }) => sum + bytes, 0),
    excludedBy,
    devices: devices.map((device) => ({ ...device, earliestAt: stages[device.stage]?.earliestAt })),
    excluded,
    notes: [
      ...(await notePrecedents(store, rollout)),
      ...(await overlaps.notes(store)),
      ...(policy ? noteUnvouched(policy, { countedCount, uncountedCount }) : []),
      ...noteworthy(rollout, firmware, stages, excludedBy),
    ],
  };
}

function noteworthy(
  rollout: Rollout,
  firmware: Firmware | undefined,
  stages: readonly PlannedStage[],
  excludedBy: ReadonlyMap<Verdict, number>,
): readonly string[] {
  const notes: string[] = [];
  const refusing = excludedBy.get("DEVICE_REFUSES") ?? 0;
  if (refusing > 0) {
    notes.push(
      `${countDevices(refusing)} refuse a version that is not newer than theirs, even if it is forced: build and sign it with a higher version or build number.`,
    );
  }
  const { maxConcurrentCount, needsApproval } = rollout;
  if (maxConcurrentCount !== null)
    notes.push(`At most ${countDevices(maxConcurrentCount)} update at the same time.`);
  if (needsApproval) notes.push(`It needs approval by someone other than ${nameAuthors(rollout)}.`);
  for (const { name, deviceCount } of stages) {
    if (deviceCount === 0) notes.push(`Stage "${name}" has no devices: it is skipped.`);
  }
  const last = rollout.stages.at(-1);
  if (last?.percent !== 100 && excludedBy.has("IN_NO_STAGE"))
    notes.push(`${countDevices(excludedBy.get("IN_NO_STAGE") ?? 0)} are in no stage.`);
  if (firmware && rollout.id === 0 && firmware.isStable)
    notes.push(
      `${nameRelease(firmware)} is stable: until it has a rollout it is offered to every compatible device.`,
    );
  return notes;
}
