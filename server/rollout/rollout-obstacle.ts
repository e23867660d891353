// What keeps a rollout from offering its release to a device that the release fits: the rollout's state, target, stages, windows and
// limit, and other rollouts. Pure.

import type { Rollout, RolloutRelease, RolloutState } from "../shared/rollout.js";
import { isOpen } from "../shared/windows.js";
import type { Scene } from "./decision.js";
import { runs } from "./obstacle.js";
import { missesTarget } from "./target.js";
import type { Verdict } from "./verdicts.js";

const STATE_VERDICTS: Readonly<Partial<Record<RolloutState, Verdict>>> = Object.freeze({
  draft: "ROLLOUT_DRAFT",
  awaiting_approval: "ROLLOUT_AWAITING_APPROVAL",
  scheduled: "ROLLOUT_SCHEDULED",
  paused: "ROLLOUT_PAUSED",
  cancelled: "ROLLOUT_CANCELLED",
});

/** Whether it may offer something now. A scheduled one begins by itself; a finished one goes on for devices that come late. */
export function isLive({ state, startAt }: Rollout, now: number): boolean {
  return state === "running" || state === "finished" || (state === "scheduled" && (startAt ?? 0) <= now);
}

/** @param stage index of the rollout's stage that the device is in; `undefined`: none */
export function checkRollout(
  scene: Scene,
  release: RolloutRelease,
  rollout: Rollout,
  stage: number | undefined,
): Verdict | undefined {
  const { device, facts, now } = scene;
  if (!isLive(rollout, now)) return STATE_VERDICTS[rollout.state];
  // A device that has taken an intermediate release may have left the target's versions: it is led on.
  const { fromVersion: _from, toVersion: _to, ...lasting } = rollout.target;
  const target = facts.given.has(rollout.id) ? lasting : rollout.target;
  if (missesTarget(target, device) !== undefined) return "NOT_TARGETED";
  if (stage === undefined) return "IN_NO_STAGE";
  if (rollout.state !== "finished" && stage > rollout.stage) return "STAGE_AHEAD";
  // The same image proves nothing when it is installed again, so it is offered once.
  const isRepeat = runs(device, release) && facts.given.has(rollout.id) && !facts.leased.has(rollout.id);
  if (isRepeat) return "DONE_ALREADY";
  return isHeld(scene, rollout.priority, rollout) ? "HELD" : undefined;
}

export function checkCapacity({ facts, now }: Scene, rollout: Rollout): Verdict | undefined {
  if (!isOpen(rollout.windows, now)) return "WINDOW_CLOSED";
  if (rollout.maxConcurrentCount === null || facts.leased.has(rollout.id)) return undefined;
  return (facts.leaseCounts.get(rollout.id) ?? 0) >= rollout.maxConcurrentCount ? "LIMIT_REACHED" : undefined;
}

/** A rollout that brought an older version keeps it: nothing of the same priority brings the newer one back. */
export function isHeld(
  { device, releases, rollouts, facts, now }: Scene,
  priority: number,
  self?: Rollout,
): boolean {
  return rollouts.some(
    (rollout) =>
      rollout !== self &&
      rollout.force === "any_order" &&
      rollout.priority >= priority &&
      isLive(rollout, now) &&
      facts.given.has(rollout.id) &&
      releases.some((release) => release.id === rollout.firmwareId && runs(device, release)),
  );
}

/** Whether no rollout keeps a release for some: it has none, or one that is finished. */
export const isForAll = ({ id }: Pick<RolloutRelease, "id">, rollouts: readonly Rollout[]): boolean => {
  const own = rollouts.filter(({ firmwareId }) => firmwareId === id);
  return own.length === 0 || own.some(({ state }) => state === "finished");
};
