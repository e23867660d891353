// Rolls the devices that run a bad release back to another one. Devices with Skyslot's firmware refuse what is not newer than what they run, so
// their way back is a release that is newer by its number: the former code, built and signed again. Devices that know no versions
// take an older release itself.

import { compareVersions } from "../../firmware/core/update/version.js";
import { type Recorder, recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease, planOf, type Rollout, type RolloutPlan } from "../shared/rollout.js";
import type { Firmware, FirmwareSummary, Store } from "../store/store.js";
import { planRollout } from "./fleet-plan.js";
import { newestFirst, releaseVersion } from "./order.js";
import { readReleases } from "./scene.js";
import {
  addDraft,
  applyCommand,
  commandRollout,
  draftRollout,
  findRollout,
  makeSeed,
  requireFirmware,
  type SeenRevisions,
} from "./service.js";

export interface WayBack {
  readonly release: FirmwareSummary;
  /** Every device takes it; one that is older only those that take what is not newer. */
  readonly isNewer: boolean;
  /** Taken if a person chooses none. */
  readonly isDefault: boolean;
}

/** Releases that a rollout's devices could be led to, newest first. @throws Refusal ROLLOUT_UNKNOWN, FIRMWARE_UNKNOWN */
export async function listWaysBack(store: Store, id: number, now: number): Promise<readonly WayBack[]> {
  const rollout = await findRollout(store, id);
  return findWaysBack(store, await requireFirmware(store, rollout.firmwareId), now);
}

async function findWaysBack(store: Store, bad: Firmware, now: number): Promise<readonly WayBack[]> {
  const fitting = (await readReleases(store, bad.deviceType))
    .filter(({ id, hardware, chip }) => id !== bad.id && hardware === bad.hardware && chip === bad.chip)
    .filter(({ expiresAt }) => expiresAt === null || expiresAt > now)
    .sort(newestFirst);
  const isNewer = (release: FirmwareSummary) =>
    compareVersions(releaseVersion(release), releaseVersion(bad)) > 0;
  const rollouts = await store.governingRollouts(bad.deviceType);
  const chosen = fitting.find((release) => isNewer(release) && !wasWithdrawn(release, rollouts));
  return fitting.map((release) => ({ release, isNewer: isNewer(release), isDefault: release === chosen }));
}

/** A release whose rollouts were all cancelled is no target for a roll back, unless a person chooses it. */
function wasWithdrawn({ id }: FirmwareSummary, rollouts: readonly Rollout[]): boolean {
  const own = rollouts.filter(({ firmwareId }) => firmwareId === id);
  return own.length > 0 && own.every(({ state }) => state === "cancelled");
}

/**
 * Ends a rollout and leads the devices that run its release to another.
 * @param firmwareId `undefined`: the newest that is newer and was not withdrawn by cancelling its rollouts
 * @throws Refusal ROLLOUT_UNKNOWN, NO_WAY_BACK, FIRMWARE_UNKNOWN, REVISION_CHANGED
 */
export async function rollBackRollout(
  recorder: Recorder,
  id: number,
  firmwareId: number | undefined,
  actor: Actor,
  seen?: SeenRevisions,
): Promise<{ readonly ended: Rollout; readonly back: Rollout }> {
  await requireTakers(recorder, id, firmwareId, actor);
  const made = await recordChange(
    recorder,
    actor,
    async (journal) => {
      const { draft, way } = await draftBack(journal.store, id, firmwareId, actor, journal.time);
      const reason = `${actor.person} moves its devices to ${nameRelease(way.release)}`;
      const ended = await applyCommand(journal, id, { kind: "cancel", reason }, actor.person, seen);
      const { id: backId } = await addDraft(journal, draft);
      return { ended, backId };
    },
    { about: `rollout:${id}` },
  );
  return { ended: made.ended, back: await commandRollout(recorder, made.backId, { kind: "start" }, actor) };
}

/** Refuses a way back that no device would take. Reads the whole fleet, so not within a transaction. */
async function requireTakers(
  { store, now }: Recorder,
  id: number,
  firmwareId: number | undefined,
  actor: Actor,
) {
  const { draft, bad, ways, way } = await draftBack(store, id, firmwareId, actor, Math.round(now()));
  if (way.isNewer) return;
  const plan = await planRollout(store, draft, Math.round(now()), { limit: 0, offset: 0 });
  if (plan.deviceCount > 0) return;
  throw noWayBack(
    bad,
    ways,
    `${nameRelease(way.release)} is not newer than ${nameRelease(bad)}: no device that runs that would accept it. `,
  );
}

async function draftBack(
  store: Store,
  id: number,
  firmwareId: number | undefined,
  actor: Actor,
  now: number,
) {
  const rollout = await findRollout(store, id);
  const bad = await requireFirmware(store, rollout.firmwareId);
  const ways = await findWaysBack(store, bad, now);
  const way = ways.find(({ release, isDefault }) =>
    firmwareId === undefined ? isDefault : release.id === firmwareId,
  );
  if (!way) {
    const withdrawn = ways.find(({ isNewer }) => isNewer);
    const chosen =
      firmwareId === undefined
        ? withdrawn
          ? `${nameRelease(withdrawn.release)} is newer, but its rollouts were cancelled: choose firmware ${withdrawn.release.id} to use it anyway. `
          : ""
        : `firmware ${firmwareId} is not another active release for ${bad.deviceType} on ${bad.hardware}. `;
    throw noWayBack(bad, ways, chosen);
  }
  const { draft } = await draftRollout(store, planBack(rollout, bad, way), actor.person, now);
  return { draft, bad, ways, way };
}

function noWayBack(bad: Firmware, ways: readonly WayBack[], why: string): Refusal {
  const former = ways.find(({ isNewer }) => !isNewer);
  const name = former ? nameRelease(former.release) : "the former version";
  // No one has chosen it yet: an older release is for devices that accept one.
  const choice =
    former && why === "" && bad.release === null
      ? `Devices that accept older versions get ${name} if you choose it, firmware ${former.release.id}. Others `
      : "Devices ";
  return new Refusal(
    "NO_WAY_BACK",
    `${why}${choice}refuse what is not newer than ${bad.version} build ${bad.buildNumber}, which they run: build the code of ${name} ` +
      `as ${bad.version}+${bad.buildNumber + 1} or higher, sign it, upload it with --unstable, and roll back to that. ` +
      "Until then, cancelling the rollout keeps it from further devices.",
  );
}

/** To all at once: what is bad has to go. An older release stays until another rollout has a higher priority (choose-release.ts). The gates stay, so that the way back stops too if it fails. */
function planBack(rollout: Rollout, bad: Firmware, { release, isNewer }: WayBack): RolloutPlan {
  const name = `Back from ${nameRelease(bad)}`.slice(0, 100);
  const version = `${bad.version}+${bad.buildNumber}`;
  return {
    ...planOf(rollout),
    name,
    firmwareId: release.id,
    seed: makeSeed(release.id),
    target: { fromVersion: version, toVersion: version },
    stages: [{ name: "all", percent: 100, soakMs: 0, minValidatedCount: 1, minValidatedFraction: 0 }],
    windows: null,
    startAt: null,
    priority: rollout.priority + 1,
    force: isNewer ? "none" : "any_order",
    needsApproval: false,
  };
}
