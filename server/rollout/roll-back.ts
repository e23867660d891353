// Leads the devices that run a bad release to another.

import { compareVersions } from "../../firmware/core/version.js";
import { ApiError } from "../api/errors.js";
import type { Actor } from "../auth/actor.js";
import { type Recorder, recordChange } from "../journal.js";
import type { Firmware, Store } from "../store/store.js";
import { nameRelease, type Rollout, type RolloutPlan } from "./model.js";
import { newestFirst, releaseVersion } from "./order.js";
import { addDraft, commandRollout, draftRollout, findRollout, makeSeed, obey } from "./service.js";

/**
 * Ends a rollout and leads the devices that run its release to another. Devices refuse what is not newer than what they run, so the
 * way back is a release that is newer by its number: the former code, built and signed again.
 * @throws ApiError ROLLOUT_UNKNOWN, NO_WAY_BACK, FIRMWARE_UNKNOWN, FIRMWARE_INACTIVE
 */
export async function rollBackRollout(
  recorder: Recorder,
  id: number,
  firmwareId: number | undefined,
  actor: Actor,
): Promise<{ readonly ended: Rollout; readonly back: Rollout }> {
  const made = await recordChange(
    recorder,
    actor,
    async (journal) => {
      const rollout = await findRollout(journal.store, id);
      const bad = await journal.store.findFirmware(rollout.firmwareId);
      if (!bad) throw new ApiError(404, "FIRMWARE_UNKNOWN", `firmware ${rollout.firmwareId} does not exist`);
      const good = await findWayBack(journal.store, bad, firmwareId);
      const plan = planBack(rollout, bad, good, journal.time);
      const { draft } = await draftRollout(journal.store, plan, actor.person, journal.time);
      const reason = `${actor.person} leads its devices on to ${nameRelease(good)}`;
      const ended = await obey(journal, id, { kind: "cancel", reason }, actor.person);
      const { id: backId } = await addDraft(journal, draft);
      return { ended, backId };
    },
    { about: `rollout:${id}` },
  );
  return { ended: made.ended, back: await commandRollout(recorder, made.backId, { kind: "start" }, actor) };
}

async function findWayBack(store: Store, bad: Firmware, firmwareId: number | undefined): Promise<Firmware> {
  const isNewer = (release: Parameters<typeof releaseVersion>[0]) =>
    compareVersions(releaseVersion(release), releaseVersion(bad)) > 0;
  const fits = (await store.activeFirmware(bad.deviceType)).filter(
    ({ hardware, chip }) => hardware === bad.hardware && chip === bad.chip,
  );
  const [wanted] =
    firmwareId === undefined
      ? fits.filter(isNewer).sort(newestFirst)
      : fits.filter(({ id }) => id === firmwareId);
  if (!wanted || !isNewer(wanted)) {
    const former = fits.filter((release) => release.id !== bad.id && !isNewer(release)).sort(newestFirst)[0];
    const name = former ? nameRelease(former) : "the former version";
    const chosen = wanted ? `${nameRelease(wanted)} is not newer than ${nameRelease(bad)}. ` : "";
    throw new ApiError(
      409,
      "NO_WAY_BACK",
      `${chosen}Devices refuse what is not newer than ${bad.version} build ${bad.buildNumber}, which they run: build the code of ${name} ` +
        `as ${bad.version}+${bad.buildNumber + 1} or higher, sign it, upload it with --unstable, and roll back to that. ` +
        "Cancelling the rollout keeps further devices from it meanwhile.",
    );
  }
  const found = await store.findFirmware(wanted.id);
  if (!found) throw new ApiError(404, "FIRMWARE_UNKNOWN", `firmware ${wanted.id} does not exist`);
  return found;
}

/** To all at once: what is bad has to go. The gates stay, so that the way back stops too if it fails. */
function planBack(rollout: Rollout, bad: Firmware, good: Firmware, now: number): RolloutPlan {
  const name = `Back from ${nameRelease(bad)}`.slice(0, 100);
  const version = `${bad.version}+${bad.buildNumber}`;
  return {
    name,
    firmwareId: good.id,
    seed: makeSeed(good.id, name, now),
    target: { fromVersion: version, toVersion: version },
    stages: [{ name: "all", percent: 100, soakMs: 0, minValidatedCount: 1, minValidatedFraction: 0 }],
    gates: rollout.gates,
    windows: null,
    startAt: null,
    maxConcurrentCount: rollout.maxConcurrentCount,
    leaseMs: rollout.leaseMs,
    priority: rollout.priority + 1,
    force: "none",
    needsApproval: false,
  };
}
