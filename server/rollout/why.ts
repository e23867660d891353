// Answers in sentences why a device does not get an update: what choose-release.ts found, with the numbers, and what to do about it.
// Pure.

import { MAX_LISTING_RELEASE_LENGTH } from "../../firmware/core/wire.js";
import {
  nameAuthors,
  nameRelease,
  type Rollout,
  type RolloutDevice,
  type RolloutRelease,
} from "../shared/rollout.js";
import { versionOf } from "../shared/version-of.js";
import { nextOpening } from "../shared/windows.js";
import type { FailureCount } from "../store/store.js";
import { bucketOf } from "./bucket.js";
import type { Decision, Facts, ReleaseVerdict, Scene } from "./decision.js";
import { MAX_ROLLBACK_COUNT, waitsUntil } from "./obstacle.js";
import { compareToRunning, mayStep, newestFirst, releaseVersion } from "./order.js";
import { isForAll } from "./rollout-obstacle.js";
import { missesTarget, stageOf } from "./target.js";
import { VERDICTS, type Verdict } from "./verdicts.js";

export interface Answer extends ReleaseVerdict {
  /** For a person. */
  readonly sentence: string;
}

/** What becomes of a release that a device would be offered if it were let in. */
export const BARRED = Object.freeze({ pending: "DEVICE_PENDING", blocked: "DEVICE_BLOCKED" } as const);

/** One sentence for each verdict, in the same order. */
export function explain(
  scene: Scene,
  { verdicts, offer }: Pick<Decision<RolloutRelease>, "verdicts" | "offer">,
): Answer[] {
  return verdicts.flatMap((each) => {
    const release = scene.releases.find(({ id }) => id === each.firmwareId);
    const rollout = scene.rollouts.find(({ id }) => id === each.rolloutId);
    return release
      ? [{ ...each, sentence: word(scene, each.verdict, release, rollout, offer?.release) }]
      : [];
  });
}

/** The one sentence that sums it up. */
export function summarize(
  scene: Scene,
  decision: Pick<Decision<RolloutRelease>, "verdicts" | "offer">,
): string {
  const { offer } = decision;
  const { device } = scene;
  if (offer) {
    const way = offer.release === offer.wanted ? "" : `, on the way to ${nameRelease(offer.wanted)}`;
    const by = offer.rollout ? ` by rollout ${offer.rollout.id} "${offer.rollout.name}"` : "";
    return `${device.id} is offered ${nameRelease(offer.release)}${by}${way} at its next check.`;
  }
  if (scene.releases.length === 0) return `There is no release for type ${device.type}: upload one.`;
  const nearest = findNearest(scene, decision);
  if (nearest)
    return `${device.id} is offered nothing: ${nearest.sentence.replace(/^(The|No) /, (word) => word.toLowerCase())}`;
  return `${device.id} is up to date: it runs ${runningName(device)}, and nothing newer is meant for it.`;
}

/** The answer of the lowest rank; of several, that of the newer release, then of the newer rollout. */
function findNearest(scene: Scene, decision: Pick<Decision<RolloutRelease>, "verdicts" | "offer">) {
  const releases = new Map(scene.releases.map((release) => [release.id, release]));
  const [nearest] = explain(scene, decision)
    .flatMap((answer) => {
      const release = releases.get(answer.firmwareId);
      const { rank, onlyIfNewer } = VERDICTS[answer.verdict];
      if (!release || rank === null) return [];
      const isNewer = compareToRunning(release, scene.device) > 0;
      return isNewer || !onlyIfNewer ? [{ answer, release, rank }] : [];
    })
    .sort(
      (a, b) =>
        a.rank - b.rank ||
        newestFirst(a.release, b.release) ||
        (b.answer.rolloutId ?? 0) - (a.answer.rolloutId ?? 0),
    );
  return nearest?.answer;
}

/** Words one verdict. */
export function word(
  scene: Scene,
  verdict: Verdict,
  release: RolloutRelease,
  rollout: Rollout | undefined,
  offered?: RolloutRelease,
): string {
  const { device, facts, now } = scene;
  const name = nameRelease(release);
  const run = rollout ? `rollout ${rollout.id} "${rollout.name}"` : "";
  const stage = rollout && stageOf(rollout, device);
  switch (verdict) {
    case "OFFERED":
      return `${name} is offered${rollout ? ` by ${run}` : ""}.`;
    case "OFFERED_AS_INTERMEDIATE":
      return `${name} is offered as an intermediate release.`;
    case "INTERMEDIATE_OFFERED":
      return `${name} needs ${release.minCurrentVersion} or newer before it: ${offered ? nameRelease(offered) : "an intermediate release"} is offered first.`;
    case "OTHER_OFFERED":
      if (offered?.id === release.id)
        return `${name} is also available ${run ? `from ${run}` : "without a rollout"}, but another rollout takes priority.`;
      return `${name} is also available, but ${offered ? nameRelease(offered) : "another release"} takes priority.`;
    case "INACTIVE":
      return `${name} was deactivated: no device can download it.`;
    case "NOT_STABLE":
      return `${name} is not marked stable: mark it, or start a rollout for it.`;
    case "WRONG_TYPE":
      return `${name} is for type ${release.deviceType}, the device is a ${device.type}.`;
    case "WRONG_CHIP":
      return `${name} is for chip ${release.chip}, the device has ${device.chip}.`;
    case "WRONG_HARDWARE":
      return `${name} is for hardware ${release.hardware}, the device has ${device.hardware}.`;
    case "EXPIRED":
      return `${name} expired at ${time(release.expiresAt ?? 0)}: sign it again with a later expiry.`;
    case "MANIFEST_TOO_LONG":
      return `${name} has a manifest of ${release.manifestLength} characters, devices read ${MAX_LISTING_RELEASE_LENGTH}: release it in format 2 under a higher version or build number.`;
    case "NOT_NEWER":
      return `${name} is not newer than ${runningName(device)}, which the device runs.`;
    case "DEVICE_REFUSES":
      return `${name} is not newer than ${runningName(device)}, and this device's firmware refuses that even if it is forced: build and sign it with a higher version or build number.`;
    case "CURRENT_TOO_OLD":
      return `${name} needs ${release.minCurrentVersion} or newer before it, the device runs ${runningName(device)}, and ${lead(scene, release)}.`;
    case "TRIAL_RUNNING":
      return `${runningName(device)} is on trial on the device: the device accepts no update until it is validated.`;
    case "ROLLED_BACK":
      return `${name} was rolled back ${MAX_ROLLBACK_COUNT} times on this device and is not offered to it again: publish a newer version.`;
    case "WAITS_AFTER_ROLL_BACK":
      return `${name} was rolled back on this device at ${time(failuresOf(facts, release)?.lastRolledBackAt ?? 0)}: it is offered again from ${time(retryTime(facts, release))} on.`;
    case "FAILED_TOO_OFTEN":
      return `${name} failed ${failuresOf(facts, release)?.failedCount} times on this device: it is offered again from ${time(retryTime(facts, release))} on.`;
    case "PINNED":
      return `The device is pinned to ${device.pin}: remove the pin to allow ${name}.`;
    case "ROLLOUT_DRAFT":
      return `${name} has ${run}, which is a draft: start it.`;
    case "ROLLOUT_AWAITING_APPROVAL":
      return `${run} for ${name} is awaiting approval by someone other than ${rollout && nameAuthors(rollout)}.`;
    case "ROLLOUT_SCHEDULED":
      return `${run} for ${name} begins at ${time(rollout?.startAt ?? 0)}.`;
    case "ROLLOUT_PAUSED":
      return `${run} for ${name} is paused: ${rollout?.reason}.`;
    case "ROLLOUT_CANCELLED":
      return `${run} for ${name} was cancelled: ${rollout?.reason}.${wayOut(scene, release)}`;
    case "NOT_TARGETED":
      return `${run} for ${name} does not include the device: ${(rollout && missesTarget(rollout.target, device)) ?? "its target changed"}.`;
    case "IN_NO_STAGE":
      return `No stage of ${run} for ${name} includes the device${rollout ? ` (its position is ${place(rollout, device)})` : ""}.`;
    case "STAGE_AHEAD":
      return `${run} for ${name} has the device in stage ${(stage ?? 0) + 1} "${rollout?.stages[stage ?? 0]?.name}"${rollout ? ` (its position is ${place(rollout, device)})` : ""}, stage ${(rollout?.stage ?? 0) + 1} "${rollout?.stages[rollout.stage]?.name}" is open.`;
    case "DONE_ALREADY":
      return `${run} has already installed ${name} on the device.`;
    case "HELD":
      return `The device is kept at ${runningName(device)} by a forced rollout: give another rollout a higher priority, or cancel the forced one.`;
    case "WINDOW_CLOSED":
      return `${run} for ${name} is outside its windows: ${opening(rollout, now)}.`;
    case "NOT_SIGNED":
      return `${name} is not signed, and type ${release.deviceType} accepts only signed releases: sign it, or make the type legacy.`;
    case "DEVICE_PENDING":
      return `${name} is withheld because the device is awaiting approval: approve it.`;
    case "DEVICE_BLOCKED":
      return `${name} is withheld because the device is blocked: approve it to let it in again.`;
    case "LIMIT_REACHED":
      return `${run} for ${name} updates at most ${rollout?.maxConcurrentCount} devices at the same time, and that many are updating: the device has to wait.`;
  }
}

/** What to do about a release of which every rollout was cancelled: nothing else offers it any more. */
function wayOut({ rollouts }: Scene, release: RolloutRelease): string {
  if (!isCancelled(rollouts, release)) return "";
  return ` Only rollouts offer a release that has had any${release.isStable ? ", stable or not" : ""}: make another one.`;
}

const isCancelled = (rollouts: readonly Rollout[], { id }: RolloutRelease): boolean =>
  rollouts.every(({ firmwareId, state }) => firmwareId !== id || state === "cancelled");

/** What could lead to a release that needs another before it. */
function lead({ device, releases, rollouts }: Scene, wanted: RolloutRelease): string {
  const running = versionOf(device.version, device.build);
  const leading = releases
    .filter((step) => step.isActive && compareToRunning(step, device) > 0 && mayStep(running, step))
    .filter((step) => mayStep(releaseVersion(step), wanted) && step.id !== wanted.id)
    .sort(newestFirst);
  const kept = leading.find((step) => step.isStable && !isForAll(step, rollouts));
  if (!kept) {
    const unmarked = leading.find((step) => !step.isStable && isForAll(step, rollouts));
    return unmarked
      ? `${nameRelease(unmarked)}, which leads there, is not marked stable: mark it, so that it can be an intermediate release`
      : "no stable release leads there: upload an intermediate release";
  }
  const name = nameRelease(kept);
  if (isCancelled(rollouts, kept))
    return `${name}, which leads there, is offered to no device since its rollouts were cancelled: make another one, or upload another intermediate release`;
  return `${name}, which leads there, is kept for the devices of its rollouts until one of them is finished: let one finish, or upload another intermediate release`;
}

const failuresOf = ({ history }: Facts, { id }: RolloutRelease): FailureCount | undefined =>
  history.find(({ firmwareId }) => firmwareId === id);
function retryTime(facts: Facts, release: RolloutRelease): number {
  const failures = failuresOf(facts, release);
  return failures ? waitsUntil(failures) : 0;
}
const place = ({ seed }: Rollout, { id }: RolloutDevice): string => `${bucketOf(seed, id) / 100} %`;
const runningName = ({ version, build }: RolloutDevice): string =>
  `${version}${build > 0 ? ` build ${build}` : ""}`;
const time = (ms: number): string => new Date(ms).toISOString();

function opening(rollout: Rollout | undefined, now: number): string {
  const at = rollout && nextOpening(rollout.windows, now);
  return at === undefined ? "none opens in the next two weeks" : `the next opens at ${time(at)}`;
}
