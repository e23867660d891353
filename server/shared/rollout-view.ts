// A rollout as clients and the audit log see it: snake_case, times in ISO 8601 or seconds.

import { defined } from "./defined.js";
import { time, timeOrNull } from "./iso-time.js";
import type { Rollout } from "./rollout.js";

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
  target: defined({
    hardware: rollout.target.hardware,
    tags: rollout.target.tags,
    groups: rollout.target.groups,
    devices: rollout.target.devices,
    from_version: rollout.target.fromVersion,
    to_version: rollout.target.toVersion,
  }),
  stages: rollout.stages.map((stage, index) => ({
    name: stage.name,
    ...defined({ percent: stage.percent, groups: stage.groups }),
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

export type RolloutView = ReturnType<typeof viewRollout>;
