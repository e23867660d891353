// What people do with rollouts, in transactions: create, change and command them. The rules are in lifecycle.ts and edit.ts.

import { createHash } from "node:crypto";
import { parseVersion } from "../../firmware/core/update/version.js";
import { type Journal, type Recorder, recordChange } from "../events/journal.js";
import type { Actor } from "../shared/actor.js";
import { Refusal } from "../shared/refusal.js";
import { nameRelease, PLAN_FIELDS, type Rollout, type RolloutPlan } from "../shared/rollout.js";
import { viewPlan, viewRollout } from "../shared/rollout-view.js";
import { checkWindows } from "../shared/windows.js";
import { words } from "../shared/words.js";
import type { Firmware, Store } from "../store/store.js";
import { edit } from "./edit.js";
import { countDraft, evaluateRollout, logRollout } from "./evaluate.js";
import { type Command, command } from "./lifecycle.js";
import { isEmptyRange } from "./target.js";

/** A draft of what a person described. @throws Refusal FIRMWARE_UNKNOWN, FIRMWARE_INACTIVE, ROLLOUT_INVALID */
export async function draftRollout(
  store: Store,
  plan: RolloutPlan,
  createdBy: string,
  now: number,
): Promise<{ readonly draft: Rollout; readonly firmware: Firmware }> {
  const firmware = await requireActive(store, plan.firmwareId);
  const wrong = checkPlan(plan, firmware);
  if (wrong) throw new Refusal("ROLLOUT_INVALID", wrong);
  const draft: Rollout = {
    ...plan,
    id: 0,
    revision: 1,
    state: "draft",
    reason: `created by ${createdBy}`,
    stage: 0,
    stageSince: now,
    gatesSince: 0,
    stageSizes: [],
    sizesAt: 0,
    evaluatedAt: 0,
    createdBy,
    editedBy: null,
    approvedBy: null,
    createdAt: now,
    updatedAt: now,
    startedAt: null,
    endedAt: null,
  };
  return { draft, firmware };
}

async function requireActive(store: Store, id: number): Promise<Firmware> {
  const firmware = await requireFirmware(store, id);
  if (firmware.isActive) return firmware;
  throw new Refusal(
    "FIRMWARE_INACTIVE",
    `firmware ${id}, ${nameRelease(firmware)}, was deactivated: activate it first`,
  );
}

/** @throws Refusal FIRMWARE_UNKNOWN */
export async function requireFirmware(store: Store, id: number): Promise<Firmware> {
  const firmware = await store.findFirmware(id);
  if (!firmware) throw new Refusal("FIRMWARE_UNKNOWN", `firmware ${id} does not exist`);
  return firmware;
}

/**
 * Another seed for each release, so that it is not always the same devices that go first; and the same for each plan of one, so that the
 * same share of the same fleet is the same devices.
 */
export const makeSeed = (firmwareId: number): string =>
  createHash("sha256").update(`release ${firmwareId}`).digest("hex").slice(0, 12);

/** What is wrong with a plan as a sentence. */
function checkPlan(plan: RolloutPlan, firmware: Firmware): string | undefined {
  const { stages, target, windows } = plan;
  let before = 0;
  for (const { name, percent } of stages) {
    if (percent === undefined) continue;
    if (percent <= before)
      return `stage "${name}" has ${percent} %, it must exceed the ${before} % of the stage before it`;
    before = percent;
  }
  for (const text of [target.fromVersion, target.toVersion]) {
    if (text !== undefined && !parseVersion(text)) return `"${text}" is not a version`;
  }
  if (isEmptyRange(target))
    return `the target is from ${target.fromVersion} to ${target.toVersion}: there is no version between them`;
  if (target.hardware && !target.hardware.includes(firmware.hardware)) {
    return `${nameRelease(firmware)} is for hardware ${firmware.hardware}, the target is ${target.hardware.join(", ")}`;
  }
  return windows === null ? undefined : checkWindows(windows);
}

export async function createRollout(recorder: Recorder, plan: RolloutPlan, actor: Actor): Promise<Rollout> {
  const { id } = await recordChange(recorder, actor, async (journal) => {
    const { draft } = await draftRollout(journal.store, plan, actor.person, journal.time);
    return addDraft(journal, draft);
  });
  await countDraft(recorder, id);
  return findRollout(recorder.store, id);
}

/** Of a draft that draftRollout has made. */
export async function addDraft(journal: Journal, { id: _id, ...draft }: Rollout): Promise<Rollout> {
  const rollout = await journal.addRollout(draft);
  await logRollout(journal, rollout, "created");
  await journal.audit({
    action: "rollout.created",
    subject: `rollout/${rollout.id}`,
    after: viewRollout(rollout),
  });
  return rollout;
}

/** Revisions of a rollout that a person may have seen; `undefined`: whichever there is. */
export type SeenRevisions = readonly number[] | undefined;

/** @throws Refusal REVISION_CHANGED */
async function requireSeen(store: Store, rollout: Rollout, seen: SeenRevisions): Promise<void> {
  const { id, revision, editedBy } = rollout;
  if (seen === undefined || seen.includes(revision)) return;
  const changed = await listChanges(store, rollout, Math.max(...seen));
  throw new Refusal(
    "REVISION_CHANGED",
    `${editedBy ?? "another person"} has changed rollout ${id} meanwhile${changed.length > 0 ? ` (${changed.join(", ")})` : ""}: it is at revision ${revision}, review it again`,
  );
}

/** Edits that are looked back on. */
const LISTED_EDIT_COUNT = 50;

/** What has been changed since a revision, in the words of the API. */
async function listChanges(store: Store, rollout: Rollout, revision: number): Promise<readonly string[]> {
  const edits = await store.listAudit({
    subject: `rollout/${rollout.id}`,
    action: "rollout.edited",
    limit: LISTED_EDIT_COUNT,
  });
  const since = edits.filter(({ after }) => Number(after?.revision) > revision);
  const names = since.flatMap(({ before, after }) => Object.keys({ ...before, ...after }));
  const plan = viewPlan(rollout);
  return [...new Set(names)].filter((name) => name in plan).map(words);
}

/** Who changes what of a plan. */
export interface PlanChange {
  readonly seen: SeenRevisions;
  readonly actor: Actor;
  /** The whole new plan. */
  readonly apply: (rollout: Rollout) => RolloutPlan;
}

/** What a rollout would be after a change. @throws Refusal ROLLOUT_UNKNOWN, REVISION_CHANGED, STATE_WRONG, EDIT_UNSAFE, … */
export async function draftEdit(store: Store, id: number, { seen, actor, apply }: PlanChange, now: number) {
  const before = await findRollout(store, id);
  await requireSeen(store, before, seen);
  const plan = apply(before);
  const result = edit(before, plan, actor.person, now);
  if (!result.ok) throw new Refusal(result.code, result.message);
  const isOther = plan.firmwareId !== before.firmwareId;
  const firmware = await (isOther ? requireActive : requireFirmware)(store, plan.firmwareId);
  const wrong = checkPlan(plan, firmware);
  if (wrong) throw new Refusal("ROLLOUT_INVALID", wrong);
  return { before, after: result.rollout, changed: result.changed };
}

/** @throws Refusal as draftEdit */
export async function editRollout(recorder: Recorder, id: number, change: PlanChange): Promise<Rollout> {
  const work = async (journal: Journal) => {
    const { before, after, changed } = await draftEdit(journal.store, id, change, journal.time);
    await journal.audit({
      action: "rollout.edited",
      subject: `rollout/${id}`,
      // How many devices it has is no decision of who edits it.
      before: viewRollout({ ...before, stageSizes: after.stageSizes }),
      after: viewRollout(after),
    });
    if (changed.length === 0) return;
    await journal.putRollout(after);
    const fields = changed.map((field) => PLAN_FIELDS[field]).join(", ");
    await logRollout(journal, { ...after, reason: `${fields}, by ${change.actor.person}` }, "edited");
  };
  await recordChange(recorder, change.actor, work, { about: `rollout:${id}` });
  await countDraft(recorder, id);
  await evaluateRollout(recorder, id);
  return findRollout(recorder.store, id);
}

/** @throws Refusal ROLLOUT_UNKNOWN, REVISION_CHANGED, STATE_WRONG, SAME_PERSON, LAST_STAGE */
export async function commandRollout(
  recorder: Recorder,
  id: number,
  order: Command,
  actor: Actor,
  seen?: SeenRevisions,
): Promise<Rollout> {
  if (order.kind === "approve") requireSignedIn(actor);
  await recordChange(recorder, actor, (journal) => applyCommand(journal, id, order, actor.person, seen), {
    about: `rollout:${id}`,
  });
  await evaluateRollout(recorder, id);
  return findRollout(recorder.store, id);
}

/** A token may be in more hands than one, and whoever made it could approve their own work with it. */
function requireSignedIn({ kind, name }: Actor): void {
  if (kind === "user") return;
  throw new Refusal(
    "PERSON_REQUIRED",
    `${name} cannot approve a rollout: a person has to, signed in on the dashboard or by "skyslot login"`,
  );
}

/** Commands a rollout within a transaction. */
export async function applyCommand(
  journal: Journal,
  id: number,
  order: Command,
  actor: string,
  seen?: SeenRevisions,
): Promise<Rollout> {
  const rollout = await findRollout(journal.store, id);
  await requireSeen(journal.store, rollout, seen);
  const result = command(rollout, order, actor, journal.time);
  if (!result.ok) throw new Refusal(result.code, result.message);
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

/** @throws Refusal ROLLOUT_UNKNOWN */
export async function findRollout(store: Store, id: number): Promise<Rollout> {
  const rollout = await store.findRollout(id);
  if (!rollout) throw new Refusal("ROLLOUT_UNKNOWN", `rollout ${id} does not exist`);
  return rollout;
}
