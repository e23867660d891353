// Sample rollouts, devices and releases for the tests.

import type { Standing } from "../../../server/devices/vouching.js";
import {
  NO_STAGE_TALLY,
  type Rollout,
  type RolloutDevice,
  type RolloutRelease,
  type Stage,
  type StageTally,
  type Tally,
} from "../../../server/shared/rollout.js";

export const NOW = Date.UTC(2026, 10, 21, 12);
export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export const sampleStage = (
  percent: number,
  changes: Partial<Omit<Stage, "percent" | "groups">> = {},
): Stage => ({
  name: `${percent} %`,
  percent,
  soakMs: HOUR,
  minValidatedCount: 2,
  minValidatedFraction: 0.8,
  ...changes,
});

export const sampleRollout = (changes: Partial<Rollout> = {}): Rollout => ({
  id: 1,
  revision: 1,
  name: "first",
  firmwareId: 1,
  seed: "seed",
  target: {},
  stages: [sampleStage(100)],
  gates: {
    maxFailedFraction: 0.1,
    maxRolledBackFraction: 0.05,
    maxSilentFraction: 0.2,
    silentAfterMs: HOUR,
    minSampleCount: 5,
  },
  windows: null,
  startAt: null,
  maxConcurrentCount: null,
  leaseMs: 30 * MINUTE,
  priority: 0,
  force: "none",
  needsApproval: false,
  state: "running",
  reason: "",
  stage: 0,
  stageSince: NOW,
  gatesSince: 0,
  stageSizes: [],
  sizesAt: 0,
  evaluatedAt: 0,
  createdBy: "ada",
  editedBy: null,
  approvedBy: null,
  createdAt: NOW,
  updatedAt: NOW,
  startedAt: NOW,
  endedAt: null,
  ...changes,
});

export const sampleRelease = (version: string, changes: Partial<RolloutRelease> = {}): RolloutRelease => {
  const id = changes.id ?? 1;
  return {
    id,
    deviceType: "base",
    hardware: "esp32",
    chip: "esp32",
    version,
    buildNumber: 0,
    imageSha256: `${id}`.padStart(64, "0"),
    fileSize: 100_000,
    isStable: true,
    isActive: true,
    minCurrentVersion: null,
    expiresAt: null,
    ...changes,
  };
};

export const sampleSubject = (changes: Partial<RolloutDevice> = {}): RolloutDevice => ({
  id: "base-010203",
  type: "base",
  hardware: "esp32",
  chip: "esp32",
  version: "1.0.0",
  build: 0,
  imageSha256: "a".repeat(64),
  slotState: "valid",
  tags: [],
  group: null,
  pin: null,
  ...changes,
});

/** Of a device that somebody approved. */
export const VOUCHED: Standing = Object.freeze({ state: "approved", isVouched: true, since: NOW });

const stageTally = (changes: Partial<StageTally>): StageTally => ({ ...NO_STAGE_TALLY, ...changes });

/** A tally whose recent part is the sum of its stages. */
export function tallyOf(...stages: readonly Partial<StageTally>[]): Tally {
  const sum = (pick: (stage: StageTally) => number) =>
    stages.map(stageTally).reduce((total, stage) => total + pick(stage), 0);
  return {
    uncountedCount: 0,
    stages: stages.map(stageTally),
    recent: {
      validatedCount: sum((stage) => stage.validatedCount),
      failedCount: sum((stage) => stage.failedCount),
      rolledBackCount: sum((stage) => stage.rolledBackCount),
      silentCount: sum((stage) => stage.silentCount),
      reachedCount: sum(
        (stage) => stage.validatedCount + stage.failedCount + stage.rolledBackCount + stage.silentCount,
      ),
    },
  };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
