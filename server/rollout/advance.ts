// What a rollout does by itself: it begins, opens its next stage, pauses (gates.ts) or finishes. A pure function of the rollout, what
// happened to its devices and the time. It opens a stage on evidence only: devices that validated the image and, after the soak
// time, still report. Every reason has the numbers.

import type { Rollout, Stage, StageTally, Tally } from "../shared/rollout.js";
import { countDevices, NO_STAGE_TALLY, sumStages } from "../shared/rollout.js";
import { percent } from "../shared/words.js";
import { findClosedGate, type PausedByGate } from "./gates.js";
import { duration, percentOf } from "./words.js";

export type Advance =
  | { readonly kind: "stay"; readonly reason: string }
  | { readonly kind: "start"; readonly reason: string }
  | PausedByGate
  | { readonly kind: "promote"; readonly stage: number; readonly reason: string }
  | { readonly kind: "finish"; readonly reason: string };

export function advance(rollout: Rollout, tally: Tally, now: number): Advance {
  if (rollout.state === "scheduled") return begin(rollout, now);
  if (rollout.state !== "running") return { kind: "stay", reason: rollout.reason };
  return findClosedGate(rollout, tally) ?? promote(rollout, tally);
}

function begin({ startAt }: Rollout, now: number): Advance {
  if (startAt === null || startAt <= now) return { kind: "start", reason: "its time has come" };
  return { kind: "stay", reason: `begins at ${new Date(startAt).toISOString()}` };
}

function promote(rollout: Rollout, tally: Tally): Advance {
  const { stages, stage, stageSizes } = rollout;
  const terms = stages[stage];
  if (!terms) throw new Error(`rollout ${rollout.id} has ${stages.length} stages and is in stage ${stage}`);
  const isLast = stage === stages.length - 1;
  const size = stageSizes[stage];
  const totalSize = stageSizes[stageSizes.length - 1];
  const name = `stage "${terms.name}"`;
  if (size === undefined) return { kind: "stay", reason: "its devices are not counted yet" };
  if (!totalSize) return { kind: "stay", reason: nobody(tally) };
  // A stage is proved by devices of its own: those of the stages before it have proved theirs.
  const ownSize = Math.max(0, size - (stageSizes[stage - 1] ?? 0));
  const own = tally.stages[stage] ?? NO_STAGE_TALLY;
  const { givenCount, validatedCount, soakedCount } = own;
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
    const reason = `${name}: ${validatedCount} of ${countDevices(givenCount)} validated (${percentOf(validatedCount, givenCount)}), ${percent(terms.minValidatedFraction)} are required${outOfReach(own, terms, Math.max(ownSize, givenCount), isLast)}`;
    return { kind: "stay", reason };
  }
  if (!isLast) {
    const reason = `${name} opened: ${soakedCount === 1 ? "1 device has" : `${soakedCount} devices have`} run the release for ${duration(terms.soakMs)}, ${validatedCount} of ${givenCount} validated`;
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

/** What helps where too many have failed: without it a resumed rollout would wait for ever. Empty: the devices that are still to come may suffice. */
function outOfReach(
  { failedCount, rolledBackCount }: StageTally,
  { minValidatedFraction }: Stage,
  size: number,
  isLast: boolean,
): string {
  const lostCount = failedCount + rolledBackCount;
  if (size - lostCount >= minValidatedFraction * size) return "";
  const way = isLast ? "cancel the rollout" : "open the next stage without it";
  return `; ${lostCount} failed or rolled back, so that this cannot be reached: change what the stage requires, or ${way}`;
}

const nobody = ({ uncountedCount }: Tally): string =>
  uncountedCount === 0
    ? "no device fits the target yet"
    : `no device that counts fits the target yet: nobody vouched for the ${countDevices(uncountedCount)} that it was offered to`;
