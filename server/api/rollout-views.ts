// Rollouts, their plans and tallies as clients see them: snake_case, times in ISO 8601 or seconds.

import { type Advance, advance } from "../rollout/advance.js";
import type { FleetPlan } from "../rollout/fleet-plan.js";
import { nameRelease, type Rollout, type StageTally, type Tally } from "../rollout/model.js";
import type { WayBack } from "../rollout/roll-back.js";
import type { Member } from "../store/store.js";
import { time } from "./views.js";

const timeOrNull = (milliseconds: number | null | undefined): string | null =>
  milliseconds === null || milliseconds === undefined ? null : time(milliseconds);

export const viewRollout = (rollout: Rollout) => ({
  id: rollout.id,
  /** Counts the changes of its plan: what If-Match names. */
  revision: rollout.revision,
  name: rollout.name,
  firmware_id: rollout.firmwareId,
  state: rollout.state,
  reason: rollout.reason,
  /** Index of the newest open stage. */
  stage: rollout.stage,
  stage_since: time(rollout.stageSince),
  target: {
    hardware: rollout.target.hardware,
    tags: rollout.target.tags,
    groups: rollout.target.groups,
    devices: rollout.target.devices,
    from_version: rollout.target.fromVersion,
    to_version: rollout.target.toVersion,
  },
  stages: rollout.stages.map((stage, index) => ({
    name: stage.name,
    percent: stage.percent,
    groups: stage.groups,
    soak_seconds: stage.soakMs / 1000,
    min_validated: stage.minValidatedCount,
    min_validated_fraction: stage.minValidatedFraction,
    /** Devices that could have it, without those of the stages before; `null`: not counted yet. */
    device_count: sizeOf(rollout, index),
  })),
  gates: {
    max_failed_fraction: rollout.gates.maxFailedFraction,
    max_rolled_back_fraction: rollout.gates.maxRolledBackFraction,
    max_silent_fraction: rollout.gates.maxSilentFraction,
    silent_seconds: rollout.gates.silentAfterMs / 1000,
    min_samples: rollout.gates.minSampleCount,
  },
  windows: rollout.windows && { time_zone: rollout.windows.timeZone, spans: rollout.windows.spans },
  start_at: timeOrNull(rollout.startAt),
  max_concurrent: rollout.maxConcurrentCount,
  lease_seconds: rollout.leaseMs / 1000,
  priority: rollout.priority,
  force: rollout.force,
  needs_approval: rollout.needsApproval,
  seed: rollout.seed,
  created_by: rollout.createdBy,
  edited_by: rollout.editedBy,
  approved_by: rollout.approvedBy,
  created_at: time(rollout.createdAt),
  updated_at: time(rollout.updatedAt),
  started_at: timeOrNull(rollout.startedAt),
  ended_at: timeOrNull(rollout.endedAt),
});

function sizeOf({ stageSizes }: Rollout, index: number): number | null {
  const through = stageSizes[index];
  return through === undefined ? null : through - (stageSizes[index - 1] ?? 0);
}

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
export type RolloutView = ReturnType<typeof viewRollout>;
export type ProgressView = ReturnType<typeof viewProgress>;
export type PlanView = ReturnType<typeof viewPlan>;
export type MemberView = ReturnType<typeof viewMember>;
