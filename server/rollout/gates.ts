// A rollout paused by its gate: too many of its devices failed, rolled back or went silent. Pure.

import { countDevices, type Rollout, type Tally } from "../shared/rollout.js";
import { percent } from "../shared/words.js";
import { duration, percentOf } from "./words.js";

export interface PausedByGate {
  readonly kind: "pause";
  readonly gate: "FAILURES" | "ROLL_BACKS" | "SILENCE";
  readonly reason: string;
}

/** `undefined`: no gate stops the rollout. */
export function findClosedGate({ gates, gatesSince }: Rollout, { recent }: Tally): PausedByGate | undefined {
  const { validatedCount, failedCount, rolledBackCount, silentCount, reachedCount } = recent;
  const badCount = failedCount + rolledBackCount;
  const endedCount = validatedCount + badCount;
  const since = gatesSince > 0 ? " since it was resumed" : "";
  const exceeds = (count: number, sampleCount: number, limit: number) =>
    sampleCount > 0 && sampleCount >= gates.minSampleCount && count / sampleCount > limit;
  if (exceeds(rolledBackCount, endedCount, gates.maxRolledBackFraction)) {
    const reason = `${rolledBackCount} of ${countDevices(endedCount)} rolled back${since} (${percentOf(rolledBackCount, endedCount)}), the limit is ${percent(gates.maxRolledBackFraction)}`;
    return { kind: "pause", gate: "ROLL_BACKS", reason };
  }
  if (exceeds(badCount, endedCount, gates.maxFailedFraction)) {
    const reason = `${badCount} of ${countDevices(endedCount)} failed${since} (${percentOf(badCount, endedCount)}, ${rolledBackCount} of them rolled back), the limit is ${percent(gates.maxFailedFraction)}`;
    return { kind: "pause", gate: "FAILURES", reason };
  }
  if (exceeds(silentCount, reachedCount, gates.maxSilentFraction)) {
    const reason = `${silentCount} of ${countDevices(reachedCount)} that took it went silent for ${duration(gates.silentAfterMs)}${since} (${percentOf(silentCount, reachedCount)}), the limit is ${percent(gates.maxSilentFraction)}`;
    return { kind: "pause", gate: "SILENCE", reason };
  }
  return undefined;
}
