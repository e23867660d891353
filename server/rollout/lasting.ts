// Whether the decision to offer nothing stands until the device, a release or a rollout changes. Pure. What time alone could turn into
// an offer, or into work that any device's check does, does not last.

import type { RolloutRelease } from "../shared/rollout.js";
import type { Decision } from "./decision.js";
import { isOnTrial, waitsUntil } from "./obstacle.js";
import type { DeviceScene } from "./scene.js";
import { VERDICTS } from "./verdicts.js";

export function isLasting(scene: DeviceScene, { offer, verdicts }: Decision<RolloutRelease>): boolean {
  const { device, rollouts, facts, members, now } = scene;
  return (
    !offer &&
    !isOnTrial(device) &&
    verdicts.every(({ verdict }) => VERDICTS[verdict].isLasting) &&
    // A rollout that runs or is scheduled is evaluated whenever a device checks.
    rollouts.every(({ state }) => state !== "running" && state !== "scheduled") &&
    // A release behind which another waits may become an intermediate release when its own wait is over.
    facts.history.every((failures) => waitsUntil(failures) <= now) &&
    members.every(({ leaseUntil }) => leaseUntil === null)
  );
}
