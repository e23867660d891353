// Which release a device is offered, under which rollout, and why not the others: a pure function of the device, the releases, the
// rollouts, what happened before and the time. The server's check, `plan`, `why` and the tests call the same one.
//
// A stable release that no rollout is about is offered to every device that it fits. As soon as a release has a rollout, in whatever
// state, only its rollouts offer it. A pin stands above both: the device gets that version, or nothing.

import { compareVersions } from "../../firmware/core/update/version.js";
import type { Rollout, RolloutDevice, RolloutRelease, RolloutState } from "../shared/rollout.js";
import { isOpen } from "../shared/windows.js";
import type { FailureCount } from "../store/store.js";
import { nextStep } from "./intermediate-release.js";
import { checkCompatibility, checkRetry, type FitObstacle, type MomentObstacle, runs } from "./obstacle.js";
import { isVersion, mayStep, newestFirst, releaseVersion, versionOf } from "./order.js";
import { missesTarget, stageOf } from "./target.js";

/** Why a release is or is not offered. */
export type Verdict =
  | "OFFERED"
  /** It is offered as a stepping stone to another. */
  | "OFFERED_AS_STONE"
  /** It is on its way: another has to be installed first, and is offered. */
  | "STONE_OFFERED"
  /** It could be had, but another goes first. */
  | "OTHER_OFFERED"
  | FitObstacle
  | MomentObstacle
  | "NOT_STABLE"
  | "PINNED"
  | "ROLLOUT_DRAFT"
  | "ROLLOUT_AWAITING_APPROVAL"
  | "ROLLOUT_SCHEDULED"
  | "ROLLOUT_PAUSED"
  | "ROLLOUT_CANCELLED"
  | "NOT_TARGETED"
  | "IN_NO_STAGE"
  | "STAGE_AHEAD"
  | "CURRENT_TOO_OLD"
  | "DONE_ALREADY"
  | "HELD"
  | "WINDOW_CLOSED"
  | "LIMIT_REACHED"
  /** Checks do not come so far: see ask-why.ts. */
  | "NOT_SIGNED"
  | "DEVICE_PENDING"
  | "DEVICE_BLOCKED";

export interface Judged {
  readonly firmwareId: number;
  /** The rollout that was asked; `null`: the release has none. */
  readonly rolloutId: number | null;
  readonly verdict: Verdict;
}

export interface Offer<Release extends RolloutRelease> {
  readonly release: Release;
  /** What it leads to: itself, or what it is a stepping stone for. */
  readonly wanted: Release;
  readonly rollout: Rollout | undefined;
  /** Index of the rollout's stage that the device is in. */
  readonly stage: number;
}

export interface Decision<Release extends RolloutRelease> {
  readonly offer: Offer<Release> | undefined;
  /** One for each rollout of each release, and one for each release without. */
  readonly verdicts: readonly Judged[];
}

/** What has happened so far between this device and the rollouts. */
export interface Facts {
  readonly history: readonly FailureCount[];
  /** Rollouts that ever offered it something. */
  readonly given: ReadonlySet<number>;
  /** Rollouts of which it holds a lease now. */
  readonly leased: ReadonlySet<number>;
  /** Leases that other devices hold now, of rollouts with a limit. */
  readonly leaseCounts: ReadonlyMap<number, number>;
}
export const NO_FACTS: Facts = Object.freeze({
  history: [],
  given: new Set<number>(),
  leased: new Set<number>(),
  leaseCounts: new Map<number, number>(),
});

interface Candidate<Release extends RolloutRelease> extends Offer<Release> {
  readonly priority: number;
}

/** `now` is milliseconds since 1970. */
export function decide<Release extends RolloutRelease>(
  device: RolloutDevice,
  releases: readonly Release[],
  rollouts: readonly Rollout[],
  facts: Facts,
  now: number,
): Decision<Release> {
  const world: World<Release> = { device, releases, rollouts, facts, now };
  const judged = releases.flatMap((release) => judge(world, release));
  const candidates = judged.map(({ candidate }) => candidate).filter((candidate) => candidate !== undefined);
  const [offer] = candidates.sort(
    (a, b) =>
      b.priority - a.priority ||
      newestFirst(a.wanted, b.wanted) ||
      (a.rollout?.id ?? 0) - (b.rollout?.id ?? 0),
  );
  return {
    offer: offer && {
      release: offer.release,
      wanted: offer.wanted,
      rollout: offer.rollout,
      stage: offer.stage,
    },
    verdicts: judged.map(({ candidate, firmwareId, rolloutId, verdict }) => ({
      firmwareId,
      rolloutId,
      verdict: name(offer, candidate, firmwareId) ?? verdict,
    })),
  };
}

/** What one rollout alone means for a device, whatever else it could have. */
export function decideOne<Release extends RolloutRelease>(
  rollout: Rollout,
  device: RolloutDevice,
  releases: readonly Release[],
  rollouts: readonly Rollout[],
  facts: Facts,
  now: number,
): { readonly offer: Offer<Release> | undefined; readonly verdict: Verdict } {
  const release = releases.find(({ id }) => id === rollout.firmwareId);
  if (!release) return { offer: undefined, verdict: "INACTIVE" };
  if (device.pin !== null && !isVersion(release, device.pin)) return { offer: undefined, verdict: "PINNED" };
  const judged = decideGoverned({ device, releases, rollouts, facts, now }, release, rollout);
  return { offer: judged.candidate, verdict: judged.candidate ? "OFFERED" : judged.verdict };
}

interface World<Release extends RolloutRelease> {
  readonly device: RolloutDevice;
  readonly releases: readonly Release[];
  readonly rollouts: readonly Rollout[];
  readonly facts: Facts;
  readonly now: number;
}
interface JudgedCandidate<Release extends RolloutRelease> extends Judged {
  readonly candidate: Candidate<Release> | undefined;
}

/** The word for what became of a release that was a candidate, or serves one. */
function name<Release extends RolloutRelease>(
  offer: Candidate<Release> | undefined,
  candidate: Candidate<Release> | undefined,
  firmwareId: number,
): Verdict | undefined {
  if (!offer) return undefined;
  if (candidate === offer) return offer.release === offer.wanted ? "OFFERED" : "STONE_OFFERED";
  if (offer.release.id === firmwareId && offer.release !== offer.wanted) return "OFFERED_AS_STONE";
  if (!candidate) return undefined;
  const isOnTheWay = candidate.release === offer.release && candidate.release !== candidate.wanted;
  return isOnTheWay ? "STONE_OFFERED" : "OTHER_OFFERED";
}

function judge<Release extends RolloutRelease>(
  world: World<Release>,
  release: Release,
): JudgedCandidate<Release>[] {
  const { device, rollouts } = world;
  if (device.pin !== null) return [decidePinned(world, release, device.pin)];
  const own = rollouts.filter(({ firmwareId }) => firmwareId === release.id);
  if (own.length === 0) return [decideUngoverned(world, release)];
  return own.map((rollout) => decideGoverned(world, release, rollout));
}

function decidePinned<Release extends RolloutRelease>(
  world: World<Release>,
  release: Release,
  pin: string,
): JudgedCandidate<Release> {
  const obstacle =
    checkCompatibility(world.device, release, "none", world.now) ??
    (isVersion(release, pin) ? undefined : "PINNED");
  return obstacle ? refused(release, null, obstacle) : approach(world, release, undefined, 0);
}

function decideUngoverned<Release extends RolloutRelease>(
  world: World<Release>,
  release: Release,
): JudgedCandidate<Release> {
  const obstacle =
    checkCompatibility(world.device, release, "none", world.now) ??
    (release.isStable ? undefined : "NOT_STABLE") ??
    (isHeld(world, 0) ? "HELD" : undefined);
  return obstacle ? refused(release, null, obstacle) : approach(world, release, undefined, 0);
}

function decideGoverned<Release extends RolloutRelease>(
  world: World<Release>,
  release: Release,
  rollout: Rollout,
): JudgedCandidate<Release> {
  const { device, now } = world;
  // One that was cancelled forces nothing any more.
  const misfit = checkCompatibility(
    device,
    release,
    rollout.state === "cancelled" ? "none" : rollout.force,
    now,
  );
  if (misfit) return refused(release, rollout, misfit);
  const stage = stageOf(rollout, device);
  const obstacle = findRolloutObstacle(world, release, rollout, stage);
  if (obstacle) return refused(release, rollout, obstacle);
  return approach(world, release, rollout, stage ?? 0);
}

/** The way to a release that the device may have: directly, over a stone, or not now. */
function approach<Release extends RolloutRelease>(
  world: World<Release>,
  wanted: Release,
  rollout: Rollout | undefined,
  stage: number,
): JudgedCandidate<Release> {
  const { device, facts, now } = world;
  const current = versionOf(device.version, device.build);
  // What is older is installed directly: stones lead upwards only.
  const isDirect = compareVersions(releaseVersion(wanted), current) <= 0 || mayStep(current, wanted);
  const step = isDirect ? wanted : nextStep(current, wanted, findIntermediateReleases(world));
  if (!step) return refused(wanted, rollout, "CURRENT_TOO_OLD");
  const obstacle = checkRetry(device, step, facts.history, now) ?? (rollout && checkCapacity(world, rollout));
  if (obstacle) return refused(wanted, rollout, obstacle);
  const candidate = { release: step, wanted, rollout, stage, priority: rollout?.priority ?? 0 };
  return { firmwareId: wanted.id, rolloutId: rollout?.id ?? null, verdict: "OTHER_OFFERED", candidate };
}

const refused = <Release extends RolloutRelease>(
  release: Release,
  rollout: Rollout | undefined | null,
  verdict: Verdict,
): JudgedCandidate<Release> => ({
  firmwareId: release.id,
  rolloutId: rollout?.id ?? null,
  verdict,
  candidate: undefined,
});

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

function findRolloutObstacle<Release extends RolloutRelease>(
  world: World<Release>,
  release: Release,
  rollout: Rollout,
  stage: number | undefined,
): Verdict | undefined {
  const { device, facts, now } = world;
  if (!isLive(rollout, now)) return STATE_VERDICTS[rollout.state];
  // A device that has taken a stone may have left the target's versions: it is led on.
  const { fromVersion: _from, toVersion: _to, ...lasting } = rollout.target;
  const target = facts.given.has(rollout.id) ? lasting : rollout.target;
  if (missesTarget(target, device) !== undefined) return "NOT_TARGETED";
  if (stage === undefined) return "IN_NO_STAGE";
  if (rollout.state !== "finished" && stage > rollout.stage) return "STAGE_AHEAD";
  // The same image proves nothing when it is installed again, so it is offered once.
  const isRepeat = runs(device, release) && facts.given.has(rollout.id) && !facts.leased.has(rollout.id);
  if (isRepeat) return "DONE_ALREADY";
  return isHeld(world, rollout.priority, rollout) ? "HELD" : undefined;
}

function checkCapacity<Release extends RolloutRelease>(
  { facts, now }: World<Release>,
  rollout: Rollout,
): Verdict | undefined {
  if (!isOpen(rollout.windows, now)) return "WINDOW_CLOSED";
  if (rollout.maxConcurrentCount === null || facts.leased.has(rollout.id)) return undefined;
  return (facts.leaseCounts.get(rollout.id) ?? 0) >= rollout.maxConcurrentCount ? "LIMIT_REACHED" : undefined;
}

/** A rollout that brought an older version keeps it: nothing of the same priority brings the newer one back. */
function isHeld<Release extends RolloutRelease>(
  { device, releases, rollouts, facts, now }: World<Release>,
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

/** What a device may step on: what it would be offered if nothing newer were there, so never what a rollout still tries out. */
function findIntermediateReleases<Release extends RolloutRelease>({
  device,
  releases,
  rollouts,
  facts,
  now,
}: World<Release>): readonly Release[] {
  return releases.filter((release) => {
    if (!release.isStable || checkCompatibility(device, release, "none", now)) return false;
    const hindrance = checkRetry({ ...device, slotState: null }, release, facts.history, now);
    return hindrance === undefined && isForAll(release, rollouts);
  });
}
