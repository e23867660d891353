// Which release a device is offered, under which rollout, and why not the others: a pure function of the device, the releases, the
// rollouts, what happened before and the time. The server's check, `plan`, `why` and the tests call the same one.
//
// A stable release without a rollout is offered to every device that it fits. As soon as a release has a rollout, in whatever
// state, only its rollouts offer it. A pin overrides both: the device gets that version, or nothing.

import { compareVersions } from "../../firmware/core/update/version.js";
import type { Rollout, RolloutRelease } from "../shared/rollout.js";
import { versionOf } from "../shared/version-of.js";
import type { Decision, Offer, ReleaseVerdict, Scene } from "./decision.js";
import { nextStep } from "./intermediate-release.js";
import { checkCompatibility, checkRetry } from "./obstacle.js";
import { isVersion, mayStep, newestFirst, releaseVersion } from "./order.js";
import { checkCapacity, checkRollout, isForAll, isHeld } from "./rollout-obstacle.js";
import { stageOf } from "./target.js";
import type { Verdict } from "./verdicts.js";

/** A release that the device could be offered, or why it cannot be. */
interface Checked<Release extends RolloutRelease> extends ReleaseVerdict {
  readonly candidate: Offer<Release> | undefined;
}

export function chooseRelease<Release extends RolloutRelease>(scene: Scene<Release>): Decision<Release> {
  const checked = scene.releases.flatMap((release) => checkRelease(scene, release));
  const candidates = checked.map(({ candidate }) => candidate).filter((candidate) => candidate !== undefined);
  const [offer] = candidates.sort(
    (a, b) =>
      (b.rollout?.priority ?? 0) - (a.rollout?.priority ?? 0) ||
      newestFirst(a.wanted, b.wanted) ||
      (a.rollout?.id ?? 0) - (b.rollout?.id ?? 0),
  );
  return {
    offer,
    verdicts: checked.map(({ candidate, firmwareId, rolloutId, verdict }) => ({
      firmwareId,
      rolloutId,
      verdict: compareToOffer(offer, candidate, firmwareId) ?? verdict,
    })),
  };
}

/** What one rollout alone offers a device, whatever else the device could have. */
export function chooseWithin<Release extends RolloutRelease>(
  scene: Scene<Release>,
  rollout: Rollout,
): { readonly offer: Offer<Release> | undefined; readonly verdict: Verdict } {
  const { pin } = scene.device;
  const release = scene.releases.find(({ id }) => id === rollout.firmwareId);
  if (!release) return { offer: undefined, verdict: "INACTIVE" };
  if (pin !== null && !isVersion(release, pin)) return { offer: undefined, verdict: "PINNED" };
  const { candidate, verdict } = checkWithRollout(scene, release, rollout);
  return { offer: candidate, verdict: candidate ? "OFFERED" : verdict };
}

/** The verdict on a release that could be offered, or that is offered because another needs it. */
function compareToOffer<Release extends RolloutRelease>(
  offer: Offer<Release> | undefined,
  candidate: Offer<Release> | undefined,
  firmwareId: number,
): Verdict | undefined {
  if (!offer) return undefined;
  if (candidate === offer) return offer.release === offer.wanted ? "OFFERED" : "INTERMEDIATE_OFFERED";
  if (offer.release.id === firmwareId && offer.release !== offer.wanted) return "OFFERED_AS_INTERMEDIATE";
  if (!candidate) return undefined;
  const isOnTheWay = candidate.release === offer.release && candidate.release !== candidate.wanted;
  return isOnTheWay ? "INTERMEDIATE_OFFERED" : "OTHER_OFFERED";
}

function checkRelease<Release extends RolloutRelease>(
  scene: Scene<Release>,
  release: Release,
): Checked<Release>[] {
  const { device, rollouts } = scene;
  if (device.pin !== null) return [checkPinned(scene, release, device.pin)];
  const own = rollouts.filter(({ firmwareId }) => firmwareId === release.id);
  if (own.length === 0) return [checkWithoutRollout(scene, release)];
  return own.map((rollout) => checkWithRollout(scene, release, rollout));
}

function checkPinned<Release extends RolloutRelease>(
  scene: Scene<Release>,
  release: Release,
  pin: string,
): Checked<Release> {
  const obstacle =
    checkCompatibility(scene.device, release, "none", scene.now) ??
    (isVersion(release, pin) ? undefined : "PINNED");
  return obstacle ? refuse(release, undefined, obstacle) : findStep(scene, release, undefined, 0);
}

function checkWithoutRollout<Release extends RolloutRelease>(
  scene: Scene<Release>,
  release: Release,
): Checked<Release> {
  const obstacle =
    checkCompatibility(scene.device, release, "none", scene.now) ??
    (release.isStable ? undefined : "NOT_STABLE") ??
    (isHeld(scene, 0) ? "HELD" : undefined);
  return obstacle ? refuse(release, undefined, obstacle) : findStep(scene, release, undefined, 0);
}

function checkWithRollout<Release extends RolloutRelease>(
  scene: Scene<Release>,
  release: Release,
  rollout: Rollout,
): Checked<Release> {
  const { device, now } = scene;
  // One that was cancelled forces nothing any more.
  const force = rollout.state === "cancelled" ? "none" : rollout.force;
  const misfit = checkCompatibility(device, release, force, now);
  if (misfit) return refuse(release, rollout, misfit);
  const stage = stageOf(rollout, device);
  const obstacle = checkRollout(scene, release, rollout, stage);
  return obstacle ? refuse(release, rollout, obstacle) : findStep(scene, release, rollout, stage ?? 0);
}

/** The next step to a release that the device may have: the release itself, an intermediate one, or nothing now. */
function findStep<Release extends RolloutRelease>(
  scene: Scene<Release>,
  wanted: Release,
  rollout: Rollout | undefined,
  stage: number,
): Checked<Release> {
  const { device, facts, now } = scene;
  const current = versionOf(device.version, device.build);
  // What is older is installed directly: intermediate releases lead upwards only.
  const isDirect = compareVersions(releaseVersion(wanted), current) <= 0 || mayStep(current, wanted);
  const step = isDirect ? wanted : nextStep(current, wanted, findIntermediateReleases(scene));
  if (!step) return refuse(wanted, rollout, "CURRENT_TOO_OLD");
  const obstacle = checkRetry(device, step, facts.history, now) ?? (rollout && checkCapacity(scene, rollout));
  if (obstacle) return refuse(wanted, rollout, obstacle);
  return {
    ...refuse(wanted, rollout, "OTHER_OFFERED"),
    candidate: { release: step, wanted, rollout, stage },
  };
}

const refuse = <Release extends RolloutRelease>(
  release: Release,
  rollout: Rollout | undefined,
  verdict: Verdict,
): Checked<Release> => ({
  firmwareId: release.id,
  rolloutId: rollout?.id ?? null,
  verdict,
  candidate: undefined,
});

/** What would be offered if nothing newer were there, so never what a rollout still tries out. */
function findIntermediateReleases<Release extends RolloutRelease>({
  device,
  releases,
  rollouts,
  facts,
  now,
}: Scene<Release>): readonly Release[] {
  return releases.filter(
    (release) =>
      release.isStable &&
      !checkCompatibility(device, release, "none", now) &&
      !checkRetry({ ...device, slotState: null }, release, facts.history, now) &&
      isForAll(release, rollouts),
  );
}
