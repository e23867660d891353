// A rollout paused by its gate: too many of its devices failed, rolled back or went silent. Pure.

import { countDevices, type Rollout, type StageTally, sumStages, type Tally } from "../shared/rollout.js";
import { percent } from "../shared/words.js";
import { duration, percentOf } from "./words.js";

export interface PausedByGate {
  readonly kind: "pause";
  readonly gate: "FAILURES" | "ROLL_BACKS" | "SILENCE";
  readonly reason: string;
}

/** `undefined`: no gate stops the rollout. */
export function findClosedGate(rollout: Rollout, tally: Tally): PausedByGate | undefined {
  const { gates, gatesSince } = rollout;
  const { recent } = tally;
  const { failedCount, rolledBackCount, silentCount, reachedCount } = recent;
  const badCount = failedCount + rolledBackCount;
  const endedCount = endedOf(recent);
  const since = gatesSince > 0 ? " since it was resumed" : "";
  const exceeds = (count: number, sampleCount: number, limit: number, leastCount: number) =>
    sampleCount > 0 && sampleCount >= leastCount && count / sampleCount > limit;
  const ofOpen = leastSample(rollout, tally, rollout.stage);
  // A download that failed once says little about the release: it takes as many as the whole target has.
  const ofAll = leastSample(rollout, tally, rollout.stages.length - 1);
  if (exceeds(rolledBackCount, endedCount, gates.maxRolledBackFraction, ofOpen)) {
    const reason = `${rolledBackCount} of ${countDevices(endedCount)} rolled back${since} (${percentOf(rolledBackCount, endedCount)}), the limit is ${percent(gates.maxRolledBackFraction)}`;
    return { kind: "pause", gate: "ROLL_BACKS", reason };
  }
  if (exceeds(badCount, endedCount, gates.maxFailedFraction, ofAll)) {
    const reason = `${badCount} of ${countDevices(endedCount)} failed${since} (${percentOf(badCount, endedCount)}, ${rolledBackCount} of them rolled back), the limit is ${percent(gates.maxFailedFraction)}`;
    return { kind: "pause", gate: "FAILURES", reason };
  }
  if (exceeds(silentCount, reachedCount, gates.maxSilentFraction, ofOpen)) {
    const reason = `${silentCount} of ${countDevices(reachedCount)} that took it went silent for ${duration(gates.silentAfterMs)}${since} (${percentOf(silentCount, reachedCount)}), the limit is ${percent(gates.maxSilentFraction)}`;
    return { kind: "pause", gate: "SILENCE", reason };
  }
  return undefined;
}

/** Fewer than what the gates ask for where no more devices can come: those of the stages up to one that had not ended before `gatesSince`. */
function leastSample({ gates, stageSizes }: Rollout, tally: Tally, stage: number): number {
  const targetedCount = stageSizes[stage];
  if (targetedCount === undefined) return gates.minSampleCount;
  const endedBeforeCount = endedOf(sumStages(tally, stage)) - endedOf(tally.recent);
  return Math.min(gates.minSampleCount, Math.max(1, targetedCount - endedBeforeCount));
}

const endedOf = ({ validatedCount, failedCount, rolledBackCount }: Ended): number =>
  validatedCount + failedCount + rolledBackCount;

type Ended = Pick<StageTally, "validatedCount" | "failedCount" | "rolledBackCount">;
