// What becomes of a rollout by itself: it begins, opens its next stage, pauses or finishes. A pure function of the rollout, what
// happened to its devices and the time. It opens a stage on evidence only: devices that validated the image and, after the soak
// time, still report. Every reason has the numbers.

import type { Rollout, StageTally, Tally } from "../shared/rollout.js";
import { countDevices, NO_STAGE_TALLY, tallyOf } from "../shared/rollout.js";

export type Advance =
  | { readonly kind: "stay"; readonly reason: string }
  | { readonly kind: "start"; readonly reason: string }
  | { readonly kind: "pause"; readonly gate: "FAILURES" | "ROLL_BACKS" | "SILENCE"; readonly reason: string }
  | { readonly kind: "promote"; readonly stage: number; readonly reason: string }
  | { readonly kind: "finish"; readonly reason: string };

export function advance(rollout: Rollout, tally: Tally, now: number): Advance {
  if (rollout.state === "scheduled") return begin(rollout, now);
  if (rollout.state !== "running") return { kind: "stay", reason: rollout.reason };
  return findGate(rollout, tally) ?? promote(rollout, tally);
}

function begin({ startAt }: Rollout, now: number): Advance {
  if (startAt === null || startAt <= now) return { kind: "start", reason: "its time has come" };
  return { kind: "stay", reason: `begins at ${new Date(startAt).toISOString()}` };
}

// ── gates ────────────────────────────────────────────────────────────────────────────────────────────────────────────────

function findGate({ gates, gatesSince }: Rollout, { recent }: Tally): Advance | undefined {
  const { validatedCount, failedCount, rolledBackCount, silentCount, reachedCount } = recent;
  const badCount = failedCount + rolledBackCount;
  const endedCount = validatedCount + badCount;
  const since = gatesSince > 0 ? " since it was resumed" : "";
  const judge = (count: number, sample: number, limit: number) =>
    sample > 0 && sample >= gates.minSampleCount && count / sample > limit;
  if (judge(rolledBackCount, endedCount, gates.maxRolledBackFraction)) {
    const reason = `${rolledBackCount} of ${countDevices(endedCount)} rolled back${since} (${percent(rolledBackCount, endedCount)}), ${share(gates.maxRolledBackFraction)} are allowed`;
    return { kind: "pause", gate: "ROLL_BACKS", reason };
  }
  if (judge(badCount, endedCount, gates.maxFailedFraction)) {
    const reason = `${badCount} of ${countDevices(endedCount)} failed${since} (${percent(badCount, endedCount)}, ${rolledBackCount} of them rolled back), ${share(gates.maxFailedFraction)} are allowed`;
    return { kind: "pause", gate: "FAILURES", reason };
  }
  if (judge(silentCount, reachedCount, gates.maxSilentFraction)) {
    const reason = `${silentCount} of ${countDevices(reachedCount)} that took it went silent for ${duration(gates.silentAfterMs)}${since} (${percent(silentCount, reachedCount)}), ${share(gates.maxSilentFraction)} are allowed`;
    return { kind: "pause", gate: "SILENCE", reason };
  }
  return undefined;
}

// ── stages ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

function promote(rollout: Rollout, tally: Tally): Advance {
  const { stages, stage, stageSizes } = rollout;
  const terms = stages[stage];
  if (!terms) throw new Error(`rollout ${rollout.id} has ${stages.length} stages and is in stage ${stage}`);
  const isLast = stage === stages.length - 1;
  const size = stageSizes[stage];
  const totalSize = stageSizes[stageSizes.length - 1];
  const name = `stage "${terms.name}"`;
  if (size === undefined) return { kind: "stay", reason: "its devices are not counted yet" };
  if (!totalSize) return { kind: "stay", reason: "no device fits the target yet" };
  // A stage is proved by devices of its own: those of the stages before it have proved theirs.
  const ownSize = Math.max(0, size - (stageSizes[stage - 1] ?? 0));
  const { givenCount, validatedCount, soakedCount } = tally.stages[stage] ?? NO_STAGE_TALLY;
  // A small fleet may have no device in a small stage: nothing can be proved there.
  if (ownSize === 0 && givenCount === 0 && !isLast) {
    return { kind: "promote", stage: stage + 1, reason: `${name} has none of the ${totalSize} devices` };
  }
  const needed = Math.min(Math.max(1, terms.minValidatedCount), ownSize);
  if (soakedCount < needed) {
    const reason = `${name}: ${validatedCount} of ${countDevices(ownSize)} validated, ${soakedCount} of ${needed} needed for ${duration(terms.soakMs)}`;
    return { kind: "stay", reason };
  }
  if (validatedCount < terms.minValidatedFraction * givenCount) {
    const reason = `${name}: ${validatedCount} of ${countDevices(givenCount)} validated (${percent(validatedCount, givenCount)}), ${share(terms.minValidatedFraction)} are needed`;
    return { kind: "stay", reason };
  }
  if (!isLast) {
    const reason = `${name}: ${soakedCount === 1 ? "1 device has" : `${soakedCount} devices have`} run it for ${duration(terms.soakMs)}, ${validatedCount} of ${givenCount} validated`;
    return { kind: "promote", stage: stage + 1, reason };
  }
  const all = sumStages(tally, stage);
  const others = all.failedCount + all.rolledBackCount;
  const endedCount = all.validatedCount + others;
  if (endedCount < size)
    return { kind: "stay", reason: `${name}: ${endedCount} of ${countDevices(size)} are done` };
  const reason = `${all.validatedCount} of ${countDevices(size)} validated${others > 0 ? `, ${others} failed` : ""}`;
  return { kind: "finish", reason };
}

/** All stages up to one, this included. */
export function sumStages({ stages }: Tally, through: number): StageTally {
  const counted = stages.slice(0, through + 1);
  return tallyOf((field) => counted.reduce((sum, stage) => sum + stage[field], 0));
}

const percent = (count: number, total: number): string => share(total === 0 ? 0 : count / total);
const share = (fraction: number): string => `${Math.round(fraction * 1000) / 10} %`;

/** Such as `90 min` or `3 d`. */
export function duration(ms: number): string {
  const units = [
    ["d", 86_400_000],
    ["h", 3_600_000],
    ["min", 60_000],
    ["s", 1000],
  ] as const;
  const [unit, size] = units.find(([, size]) => ms >= size && ms % size === 0) ?? units[3];
  return `${Math.round((ms / size) * 10) / 10} ${unit}`;
}
