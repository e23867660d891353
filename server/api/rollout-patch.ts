// What is changed of a rollout, as a JSON merge patch (RFC 7396) of the body that made it: what is left out stays, `null` is what a new
// rollout has, lists are replaced as a whole.

import { type Static, type TObject, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Refusal } from "../shared/refusal.js";
import type { Rollout, RolloutPlan } from "../shared/rollout.js";
import { viewRollout } from "../shared/rollout-view.js";
import { RolloutBody, type RolloutInput, readPlan } from "./rollout-schemas.js";
import { Exactly, findFault } from "./schemas.js";

/** A schema of which everything may be left out, or be null. */
const patchOf = (schema: TObject): TObject =>
  Exactly(
    Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [
        name,
        Type.Optional(
          Type.Union([
            field.type === "object" ? patchOf(field as TObject) : Type.Optional(field, false),
            Type.Null(),
          ]),
        ),
      ]),
    ),
    { description: "What is left out stays, null is what a new one has, lists are replaced" },
  );

export const RolloutPatch = patchOf(RolloutBody);
export type RolloutPatchInput = Static<typeof RolloutPatch>;

/** The whole plan that a patch makes of a rollout's. @throws Refusal INVALID_REQUEST, ROLLOUT_INVALID */
export function patchPlan(rollout: Rollout, patch: RolloutPatchInput): RolloutPlan {
  const body = merge(inputOf(rollout), patch);
  const fault = findFault(RolloutBody, body);
  if (fault !== undefined) throw new Refusal("INVALID_REQUEST", fault);
  const input = body as RolloutInput;
  const plan = readPlan(input, input.name ?? rollout.name, input.seed ?? rollout.seed);
  if (typeof plan === "string") throw new Refusal("ROLLOUT_INVALID", plan);
  return plan;
}

/** The body that would make this rollout. */
function inputOf(rollout: Rollout): Record<string, unknown> {
  // What it has come to, as the number of devices in a stage, was nobody's to say.
  const view = Value.Clean(RolloutBody, JSON.parse(JSON.stringify(viewRollout(rollout)))) as Record<
    string,
    unknown
  >;
  const told = Object.keys(RolloutBody.properties).filter((name) => view[name] !== null);
  return Object.fromEntries(told.map((name) => [name, view[name]]));
}

function merge(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const merged = new Map(Object.entries(isObject(target) ? target : {}));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, merge(merged.get(name), value));
  }
  return Object.fromEntries(merged);
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
