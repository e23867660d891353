// A change of a rollout, as a JSON merge patch (RFC 7396) of the body that created it: what is absent stays, `null` resets to the default
// of a new rollout, lists are replaced as a whole.

import { type Static, type TObject, type TSchema, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { Refusal } from "../shared/refusal.js";
import type { Rollout, RolloutPlan } from "../shared/rollout.js";
import { viewRollout } from "../shared/rollout-view.js";
import { RolloutBody, type RolloutInput, readPlan } from "./rollout-schemas.js";
import { Exactly } from "./schemas.js";
import { findFault } from "./validate.js";

/** A schema in which everything is optional and may be null. */
const patchOf = (schema: TObject): TObject =>
  Exactly(
    Object.fromEntries(
      Object.entries(schema.properties).map(([name, field]) => [
        name,
        Type.Optional(
          Type.Union([
            field.type === "object" ? patchOf(field as TObject) : withoutDefault(Type.Optional(field, false)),
            Type.Null(),
          ]),
        ),
      ]),
    ),
    { description: "What is absent stays, null resets to the default, lists are replaced" },
  );

/** What is absent from a patch stays as it is. */
const withoutDefault = ({ default: _, ...schema }: TSchema): TSchema => schema as TSchema;

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
  // Counts and times of the view are no part of the body.
  const view = Value.Clean(RolloutBody, JSON.parse(JSON.stringify(viewRollout(rollout)))) as Record<
    string,
    unknown
  >;
  const given = Object.keys(RolloutBody.properties).filter((name) => view[name] !== null);
  return Object.fromEntries(given.map((name) => [name, view[name]]));
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
