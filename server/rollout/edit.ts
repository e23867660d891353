// Changes the plan of a rollout. Pure. Before it has begun everything may be changed. Afterwards only what leaves true what has
// happened: which devices a stage had, and what they have proved. Devices that come to it late would skip the stages before, so a
// target may become narrower and never wider. An approval was given to a plan: another plan needs another.

import { isDeepStrictEqual } from "node:util";
import {
  PLAN_FIELD_NAMES,
  PLAN_FIELDS,
  type Rollout,
  type RolloutPlan,
  type Stage,
} from "../shared/rollout.js";
import { open } from "./lifecycle.js";
import { findWidening } from "./target.js";

type EditResult =
  | { readonly ok: true; readonly rollout: Rollout; readonly changed: readonly (keyof RolloutPlan)[] }
  | { readonly ok: false; readonly code: "STATE_WRONG" | "EDIT_UNSAFE"; readonly message: string };

/** @param plan what it shall be, whole @param actor the name of the person who changes it */
export function edit(rollout: Rollout, plan: RolloutPlan, actor: string, now: number): EditResult {
  const { id, state } = rollout;
  if (state === "finished" || state === "cancelled")
    return {
      ok: false,
      code: "STATE_WRONG",
      message: `rollout ${id} is ${state}: it cannot be changed, make another`,
    };
  const changed = PLAN_FIELD_NAMES.filter((field) => !isDeepStrictEqual(rollout[field], plan[field]));
  if (changed.length === 0) return { ok: true, rollout, changed };
  for (const field of changed) {
    const wrong = checkField(rollout, plan, field);
    if (wrong)
      return {
        ok: false,
        code: "EDIT_UNSAFE",
        message: `the ${PLAN_FIELDS[field]} of rollout ${id} cannot be changed: ${wrong}`,
      };
  }
  const edited: Rollout = {
    ...rollout,
    ...plan,
    revision: rollout.revision + 1,
    editedBy: actor,
    updatedAt: now,
    ...(changed.some((field) => COUNTED.includes(field)) ? { stageSizes: [], sizesAt: 0 } : {}),
    ...(changed.some((field) => field !== "name") ? { approvedBy: null } : {}),
  };
  return { ok: true, rollout: { ...edited, ...settle(edited, `changed by ${actor}`, now) }, changed };
}

/** Fields that say how many devices a stage has. */
const COUNTED: readonly (keyof RolloutPlan)[] = Object.freeze([
  "firmwareId",
  "seed",
  "target",
  "stages",
  "force",
]);

/** Its state with the new plan. A paused one stays paused; resuming it asks for the approval. */
function settle(edited: Rollout, reason: string, now: number): Partial<Rollout> {
  const { state, needsApproval, approvedBy } = edited;
  if (state === "draft") return { reason };
  if (state === "paused") return {};
  const lacksApproval = needsApproval && approvedBy === null;
  return state === "running" && !lacksApproval ? {} : open(edited, reason, now);
}

/** Why a field may not be changed so, as a sentence's end. */
function checkField(rollout: Rollout, plan: RolloutPlan, field: keyof RolloutPlan): string | undefined {
  if (field === "needsApproval" && rollout.state === "awaiting_approval")
    return "it is already awaiting approval";
  if (rollout.startedAt === null) return undefined;
  if (field === "stages") return checkStages(rollout, plan.stages);
  if (field === "target") return checkTarget(rollout, plan);
  return FIXED[field];
}

/** What is settled once a rollout has begun. The fields that are not here may be changed at any time. */
const FIXED: Readonly<Partial<Record<keyof RolloutPlan, string>>> = Object.freeze({
  firmwareId: "devices have been offered it; make another rollout for another release",
  seed: "it has chosen the devices of the stages that have begun",
  startAt: "it has begun; pause and resume it instead",
  force: "it says what devices of the stages that have begun were offered; make another rollout",
  needsApproval: "it has begun",
});

function checkTarget({ target }: Rollout, plan: RolloutPlan): string | undefined {
  const wider = findWidening(target, plan.target);
  return (
    wider &&
    `devices that ${wider} would add skip the stages that have begun; make it narrower only, or make another rollout for them`
  );
}

/** The stages that have begun keep their devices; the open one may have to prove something else, those before have proved it. */
function checkStages({ stages, stage: newest }: Rollout, next: readonly Stage[]): string | undefined {
  for (const [index, stage] of stages.slice(0, newest + 1).entries()) {
    const wanted = next[index];
    const place = `stage ${index + 1} "${stage.name}" has begun`;
    if (!wanted) return `${place} and cannot be removed`;
    const hasSameDevices = wanted.percent === stage.percent && isDeepStrictEqual(wanted.groups, stage.groups);
    if (!hasSameDevices) return `${place}, its devices stay as they are`;
    if (index < newest && !isDeepStrictEqual(wanted, stage)) return `${place}, and is over`;
  }
  return undefined;
}
