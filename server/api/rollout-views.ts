// Plans, tallies and devices of rollouts as clients see them: snake_case, times in ISO 8601 or seconds.

import { type Advance, advance } from "../rollout/advance.js";
import type { FleetPlan } from "../rollout/fleet-plan.js";
import type { WayBack } from "../rollout/roll-back.js";
import { time, timeOrNull } from "../shared/iso-time.js";
import { nameRelease, type Rollout, type StageTally, type Tally } from "../shared/rollout.js";
import { viewRollout } from "../shared/rollout-view.js";
import type { Member } from "../store/store.js";

const viewStageTally = (tally: StageTally) => ({
  given: tally.givenCount,
  updating: tally.updatingCount,
  validated: tally.validatedCount,
  soaked: tally.soakedCount,
  failed: tally.failedCount,
  rolled_back: tally.rolledBackCount,
  silent: tally.silentCount,
});

/** A rollout with what happened to its devices, and what it waits for. */
export function viewProgress(rollout: Rollout, tally: Tally, now: number) {
  const next: Advance = advance(rollout, tally, now);
  return {
    ...viewRollout(rollout),
    tallies: tally.stages.map(viewStageTally),
    /** What it would do now, or what it waits for. */
    next: { kind: next.kind, reason: next.reason },
  };
}

export const viewMember = (member: Member) => ({
  device_id: member.deviceId,
  firmware_id: member.firmwareId,
  stage: member.stage,
  from_version: member.fromVersion,
  first_given_at: time(member.firstGivenAt),
  last_given_at: time(member.lastGivenAt),
  lease_until: timeOrNull(member.leaseUntil),
  updating: member.isUpdating,
  outcome: member.outcome,
  outcome_at: timeOrNull(member.outcomeAt),
  error_code: member.errorCode,
});

export const viewPlan = (plan: FleetPlan, rollout: Rollout) => ({
  seed: rollout.seed,
  device_count: plan.deviceCount,
  excluded_count: plan.excludedCount,
  bytes: plan.bytes,
  stages: plan.stages.map((stage) => ({
    name: stage.name,
    device_count: stage.deviceCount,
    bytes: stage.bytes,
    earliest_at: timeOrNull(stage.earliestAt),
  })),
  excluded_by: Object.fromEntries(plan.excludedBy),
  devices: plan.devices.map((device) => ({
    device_id: device.deviceId,
    stage: device.stage,
    firmware_ids: device.firmwareIds,
    bytes: device.bytes,
    earliest_at: timeOrNull(device.earliestAt),
  })),
  excluded: plan.excluded.map(({ deviceId, verdict, sentence }) => ({
    device_id: deviceId,
    verdict,
    sentence,
  })),
  notes: plan.notes,
});

export const viewWayBack = ({ release, isNewer, isDefault }: WayBack) => ({
  firmware_id: release.id,
  release: nameRelease(release),
  /** Devices with Skyslot's firmware refuse what is not newer than what they run. */
  is_newer: isNewer,
  is_default: isDefault,
});

export type WayBackView = ReturnType<typeof viewWayBack>;
export type ProgressView = ReturnType<typeof viewProgress>;
export type PlanView = ReturnType<typeof viewPlan>;
export type MemberView = ReturnType<typeof viewMember>;
