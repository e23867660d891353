// Whether the decision to offer nothing stands until somebody changes something: the device, a release, a rollout. Pure. What time
// alone could turn into an offer, or into work that the check of any device does, does not last.

import type { RolloutRelease } from "../shared/rollout.js";
import type { Decision, Verdict } from "./choose-release.js";
import { isOnTrial, waitsUntil } from "./obstacle.js";
import type { DeviceScene } from "./scene.js";

/** Verdicts that time alone may end. */
const PASSING: readonly Verdict[] = Object.freeze([
  "TRIAL_RUNNING",
  "WAITS_AFTER_ROLL_BACK",
  "FAILED_TOO_OFTEN",
  "ROLLOUT_SCHEDULED",
  "WINDOW_CLOSED",
  "LIMIT_REACHED",
]);

export function isLasting(scene: DeviceScene, { offer, verdicts }: Decision<RolloutRelease>): boolean {
  const { device, rollouts, facts, members, now } = scene;
  return (
    !offer &&
    !isOnTrial(device) &&
    verdicts.every(({ verdict }) => !PASSING.includes(verdict)) &&
    // A rollout at work is looked at whenever a device checks.
    rollouts.every(({ state }) => state !== "running" && state !== "scheduled") &&
    // A release behind which another waits may become a stepping stone when its own wait is over.
    facts.history.every((failures) => waitsUntil(failures) <= now) &&
    members.every(({ leaseUntil }) => leaseUntil === null)
  );
}
