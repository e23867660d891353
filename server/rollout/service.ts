// What people do with rollouts, in transactions: make one, command it, plan it, lead its devices back. Knows no HTTP; the rules are
// lifecycle.ts's and plan.ts's.

import { createHash } from "node:crypto";
import { compareVersions, parseVersion } from "../../firmware/core/version.js";
import { ApiError } from "../api/errors.js";
import { viewRollout } from "../api/rollout-views.js";
import type { Actor } from "../auth/actor.js";
import { type Journal, type Recorder, recordChange } from "../journal.js";
import type { Firmware, Store } from "../store/store.js";
import type { Verdict } from "./decide.js";
import { evaluateRollout, logRollout } from "./evaluate.js";
import { readFleet } from "./fleet.js";
import { type Command, command } from "./lifecycle.js";
import { countDevices, nameRelease, type Rollout, type RolloutPlan } from "./model.js";
import { newestFirst, releaseVersion } from "./order.js";
import { type ExcludedDevice, isPlanned, type PlannedDevice, type PlannedStage } from "./plan.js";
import { judgeWindows } from "./window.js";

/** A draft of what a person described. @throws ApiError FIRMWARE_UNKNOWN, FIRMWARE_INACTIVE, ROLLOUT_INVALID */
export async function draftRollout(
  store: Store,
  plan: RolloutPlan,
  createdBy: string,
  now: number,
): Promise<{ readonly draft: Rollout; readonly firmware: Firmware }> {
  const firmware = await store.findFirmware(plan.firmwareId);
  if (!firmware) throw new ApiError(404, "FIRMWARE_UNKNOWN", `firmware ${plan.firmwareId} does not exist`);
  if (!firmware.isActive) {
    throw new ApiError(
      409,
      "FIRMWARE_INACTIVE",
      `firmware ${firmware.id}, ${nameRelease(firmware)}, was deactivated: activate it first`,
    );
  }
  const wrong = judgePlan(plan, firmware);
  if (wrong) throw new ApiError(422, "ROLLOUT_INVALID", wrong);
  const draft: Rollout = {
    ...plan,
    id: 0,
    state: "draft",
    reason: `made by ${createdBy}`,
    stage: 0,
    stageSince: now,
    gatesSince: 0,
    stageSizes: [],
    sizesAt: 0,
    evaluatedAt: 0,
    createdBy,
    approvedBy: null,
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    endedAt: null,
  };
  return { draft, firmware };
}

/** Another seed for each rollout, so that it is not always the same devices that go first. */
export const makeSeed = (firmwareId: number, name: string, now: number): string =>
  createHash("sha256").update(`${firmwareId} ${now} ${name}`).digest("hex").slice(0, 12);

/** What is wrong with a plan as a sentence. */
function judgePlan(plan: RolloutPlan, firmware: Firmware): string | undefined {
  const { stages, target, windows } = plan;
  let before = 0;
  for (const { name, percent } of stages) {
    if (percent === undefined) continue;
    if (percent <= before)
      return `stage "${name}" has ${percent} %, it has to have more than the ${before} % before it`;
    before = percent;
  }
  for (const text of [target.fromVersion, target.toVersion]) {
    if (text !== undefined && !parseVersion(text)) return `"${text}" is not a version`;
  }
  if (target.hardware && !target.hardware.includes(firmware.hardware)) {
    return `${nameRelease(firmware)} is for hardware ${firmware.hardware}, the target is ${target.hardware.join(", ")}`;
  }
  return windows === null ? undefined : judgeWindows(windows);
}

export async function createRollout(recorder: Recorder, plan: RolloutPlan, actor: Actor): Promise<Rollout> {
  return recordChange(recorder, actor, async (journal) => {
    const { draft } = await draftRollout(journal.store, plan, actor.person, journal.time);
    return addDraft(journal, draft);
  });
}

async function addDraft(journal: Journal, { id: _id, ...draft }: Rollout): Promise<Rollout> {
  const rollout = await journal.addRollout(draft);
  await logRollout(journal, rollout, "created");
  await journal.audit({
    action: "rollout.created",
    subject: `rollout/${rollout.id}`,
    after: viewRollout(rollout),
  });
  return rollout;
}

/** @throws ApiError ROLLOUT_UNKNOWN, STATE_WRONG, SAME_PERSON, LAST_STAGE */
export async function commandRollout(
  recorder: Recorder,
  id: number,
  order: Command,
  actor: Actor,
): Promise<Rollout> {
  await recordChange(recorder, actor, (journal) => obey(journal, id, order, actor.person), {
    about: `rollout:${id}`,
  });
  await evaluateRollout(recorder, id);
  return findRollout(recorder.store, id);
}

async function obey(journal: Journal, id: number, order: Command, actor: string): Promise<Rollout> {
  const rollout = await findRollout(journal.store, id);
  const result = command(rollout, order, actor, journal.time);
  if (!result.ok) throw new ApiError(409, result.code, result.message);
  // Who fits may have changed while it stood still.
  const changed = order.kind === "resume" ? { ...result.rollout, sizesAt: 0 } : result.rollout;
  await journal.audit({
    action: `rollout.${WORDS[order.kind]}`,
    subject: `rollout/${id}`,
    before: viewRollout(rollout),
    after: viewRollout(changed),
  });
  if (result.rollout === rollout) return rollout;
  await journal.putRollout(changed);
  await logRollout(journal, changed, WORDS[order.kind]);
  return changed;
}

const WORDS: Readonly<Record<Command["kind"], string>> = Object.freeze({
  start: "started",
  approve: "approved",
  pause: "paused",
  resume: "resumed",
  promote: "promoted",
  cancel: "cancelled",
});

/** @throws ApiError ROLLOUT_UNKNOWN */
export async function findRollout(store: Store, id: number): Promise<Rollout> {
  const rollout = await store.findRollout(id);
  if (!rollout) throw new ApiError(404, "ROLLOUT_UNKNOWN", `rollout ${id} does not exist`);
  return rollout;
}

// ── plan ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

export interface FleetPlan {
  readonly stages: readonly PlannedStage[];
  readonly deviceCount: number;
  readonly excludedCount: number;
  readonly bytes: number;
  /** How many devices are excluded for each reason. */
  readonly excludedBy: ReadonlyMap<Verdict, number>;
  /** The wanted piece of each list. */
  readonly devices: readonly PlannedDevice[];
  readonly excluded: readonly ExcludedDevice[];
  /** What a person should know beside the numbers. */
  readonly notes: readonly string[];
}

export async function planRollout(
  store: Store,
  rollout: Rollout,
  now: number,
  page: { readonly limit: number; readonly offset: number },
): Promise<FleetPlan> {
  const devices: PlannedDevice[] = [];
  const excluded: ExcludedDevice[] = [];
  const excludedBy = new Map<Verdict, number>();
  let deviceCount = 0;
  let excludedCount = 0;
  const isOnPage = (index: number) => index >= page.offset && index < page.offset + page.limit;
  const { planner, firmware } = await readFleet(store, rollout, now, (entry) => {
    if (isPlanned(entry)) {
      if (isOnPage(deviceCount++)) devices.push(entry);
    } else {
      if (isOnPage(excludedCount++)) excluded.push(entry);
      excludedBy.set(entry.verdict, (excludedBy.get(entry.verdict) ?? 0) + 1);
    }
  });
  const { stages } = planner;
  return {
    stages,
    deviceCount,
    excludedCount,
    bytes: stages.reduce((sum, { bytes }) => sum + bytes, 0),
    excludedBy,
    devices,
    excluded,
    notes: noteworthy(rollout, firmware, stages, excludedBy),
  };
}

function noteworthy(
  rollout: Rollout,
  firmware: Firmware | undefined,
  stages: readonly PlannedStage[],
  excludedBy: ReadonlyMap<Verdict, number>,
): readonly string[] {
  const notes: string[] = [];
  const refusing = excludedBy.get("DEVICE_REFUSES") ?? 0;
  if (refusing > 0) {
    notes.push(
      `${countDevices(refusing)} refuse a version that is not newer than theirs, even if it is forced: build and sign it with a higher version or build number.`,
    );
  }
  const { maxConcurrentCount, needsApproval } = rollout;
  if (maxConcurrentCount !== null)
    notes.push(`At most ${countDevices(maxConcurrentCount)} update at the same time.`);
  if (needsApproval) notes.push(`Another person than ${rollout.createdBy} has to approve it.`);
  for (const { name, deviceCount } of stages) {
    if (deviceCount === 0)
      notes.push(`Stage "${name}" has no devices: it proves nothing and is passed over.`);
  }
  const last = rollout.stages.at(-1);
  if (last?.percent !== 100 && excludedBy.has("IN_NO_STAGE"))
    notes.push(`${countDevices(excludedBy.get("IN_NO_STAGE") ?? 0)} in none of the stages.`);
  if (firmware && rollout.id === 0 && firmware.isStable)
    notes.push(
      `${nameRelease(firmware)} is stable: until it has a rollout it is offered to every device that it fits.`,
    );
  return notes;
}

// ── back ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

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
