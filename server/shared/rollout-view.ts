// A rollout as clients and the audit log see it: snake_case, times in ISO 8601 or seconds.

import { defined } from "./defined.js";
import { time, timeOrNull } from "./iso-time.js";
import type { Rollout, RolloutPlan } from "./rollout.js";

/** The plan: what a person decides, and may change. */
export const viewPlan = (plan: RolloutPlan) => ({
  name: plan.name,
  firmware_id: plan.firmwareId,
  target: defined({
    hardware: plan.target.hardware,
    tags: plan.target.tags,
    groups: plan.target.groups,
    devices: plan.target.devices,
    from_version: plan.target.fromVersion,
    to_version: plan.target.toVersion,
  }),
  stages: plan.stages.map((stage) => ({
    name: stage.name,
    ...defined({ percent: stage.percent, groups: stage.groups }),
    soak_seconds: stage.soakMs / 1000,
    min_validated: stage.minValidatedCount,
    min_validated_fraction: stage.minValidatedFraction,
  })),
  gates: {
    max_failed_fraction: plan.gates.maxFailedFraction,
    max_rolled_back_fraction: plan.gates.maxRolledBackFraction,
    max_silent_fraction: plan.gates.maxSilentFraction,
    silent_seconds: plan.gates.silentAfterMs / 1000,
    min_samples: plan.gates.minSampleCount,
  },
  windows: plan.windows && { time_zone: plan.windows.timeZone, spans: plan.windows.spans },
  start_at: timeOrNull(plan.startAt),
  max_concurrent: plan.maxConcurrentCount,
  lease_seconds: plan.leaseMs / 1000,
  priority: plan.priority,
  force: plan.force,
  needs_approval: plan.needsApproval,
  seed: plan.seed,
});

export function viewRollout(rollout: Rollout) {
  const { stages, ...plan } = viewPlan(rollout);
  return {
    id: rollout.id,
    /** Counts the changes of its plan: what If-Match names. */
    revision: rollout.revision,
    ...plan,
    stages: stages.map((stage, index) => ({
      ...stage,
      /** Devices that could have it, without those of the stages before; `null`: not counted yet. */
      device_count: sizeOf(rollout, index),
    })),
    state: rollout.state,
    reason: rollout.reason,
    /** Index of the newest open stage. */
    stage: rollout.stage,
    stage_since: time(rollout.stageSince),
    created_by: rollout.createdBy,
    edited_by: rollout.editedBy,
    approved_by: rollout.approvedBy,
    created_at: time(rollout.createdAt),
    updated_at: time(rollout.updatedAt),
    started_at: timeOrNull(rollout.startedAt),
    ended_at: timeOrNull(rollout.endedAt),
  };
}

function sizeOf({ stageSizes }: Rollout, index: number): number | null {
  const through = stageSizes[index];
  return through === undefined ? null : through - (stageSizes[index - 1] ?? 0);
}

export type RolloutView = ReturnType<typeof viewRollout>;
