// What clients send about rollouts, as TypeBox schemas. Times are seconds or ISO 8601, shares are fractions of 1.

import { type NumberOptions, type Static, type TSchema, Type } from "@sinclair/typebox";
import { defined } from "../shared/defined.js";
import type { RolloutPlan, Stage, Target } from "../shared/rollout.js";
import { GATE_DEFAULTS, ROLLOUT_DEFAULTS, STAGE_DEFAULTS } from "../shared/rollout-defaults.js";
import { OUTCOMES } from "../store/store.js";
import { DeviceId, Exactly, Id, Label, Name, Page, VersionText } from "./schemas.js";

const MAX_STAGE_COUNT = 20;
const MAX_SPAN_COUNT = 20;
const MAX_DEVICE_COUNT = 1000;
const MAX_NAME_COUNT = 50;
const MAX_COUNT = 1_000_000;
const YEAR_SECONDS = 366 * 24 * 60 * 60;

const Clock = Type.String({ pattern: "^([01]\\d|2[0-3]):[0-5]\\d$", description: "Local time, HH:MM" });
const Fraction = (description: string, value: number) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: 1, description, default: value }));
const Seconds = (description: string, value: number, range: NumberOptions = {}) =>
  Type.Optional(Type.Number({ minimum: 0, maximum: YEAR_SECONDS, ...range, description, default: value }));
const Count = (description: string, more: NumberOptions = {}) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_COUNT, description, ...more }));
const Some = <Item extends TSchema>(item: Item, description: string, maxItems = MAX_NAME_COUNT) =>
  Type.Optional(
    Type.Unsafe<readonly Static<Item>[]>(Type.Array(item, { minItems: 1, maxItems, description })),
  );

export const TargetBody = Exactly(
  {
    hardware: Some(Name, "Boards, as devices report them"),
    tags: Some(Label, "Devices with one of these tags"),
    groups: Some(Label, "Devices of one of these groups"),
    devices: Some(DeviceId, "Only these devices", MAX_DEVICE_COUNT),
    from_version: Type.Optional(VersionText),
    to_version: Type.Optional(VersionText),
  },
  {
    description: "Which devices the rollout is for. All given conditions must hold; absent: not restricted.",
  },
);

export const StageBody = Exactly(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    percent: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 100,
        description: "Share of the target, including all earlier stages",
      }),
    ),
    groups: Some(Label, "Groups, instead of a share"),
    soak_seconds: Seconds(
      "How long a device must keep reporting after validation to count as evidence",
      STAGE_DEFAULTS.soak_seconds,
    ),
    min_validated: Count("Devices that must have soaked", { default: STAGE_DEFAULTS.min_validated }),
    min_validated_fraction: Fraction(
      "Of the devices that got it, the share that must have validated it",
      STAGE_DEFAULTS.min_validated_fraction,
    ),
  },
  { description: "A step of the rollout: a share or groups, and what has to be proved before the next" },
);

export const GatesBody = Exactly(
  {
    max_failed_fraction: Fraction(
      "Failures and rollbacks among ended attempts; 1 never pauses",
      GATE_DEFAULTS.max_failed_fraction,
    ),
    max_rolled_back_fraction: Fraction("Rollbacks only", GATE_DEFAULTS.max_rolled_back_fraction),
    max_silent_fraction: Fraction(
      "Devices that took it and stopped reporting",
      GATE_DEFAULTS.max_silent_fraction,
    ),
    silent_seconds: Seconds("When a device counts as silent", GATE_DEFAULTS.silent_seconds),
    min_samples: Count(
      "Number of devices below which no gate is evaluated; in a smaller target, all of its devices",
      {
        default: GATE_DEFAULTS.min_samples,
      },
    ),
  },
  { description: "What pauses the rollout" },
);

export const WindowSpan = Exactly({
  weekdays: Type.Unsafe<readonly number[]>(
    Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), {
      minItems: 1,
      maxItems: 7,
      description: "1 is Monday: the day on which the span begins",
    }),
  ),
  from: Clock,
  to: Clock,
});
export const WindowsBody = Exactly(
  {
    time_zone: Type.String({ minLength: 1, maxLength: 64, description: "IANA name, such as Europe/Berlin" }),
    spans: Type.Unsafe<readonly Static<typeof WindowSpan>[]>(
      Type.Array(WindowSpan, { minItems: 1, maxItems: MAX_SPAN_COUNT }),
    ),
  },
  {
    description:
      "When updates may begin, in local time; a span whose end is before its start goes over midnight",
  },
);

export const RolloutBody = Exactly(
  {
    firmware_id: Type.Integer({ ...Id, description: "The release" }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    target: Type.Optional(TargetBody),
    stages: Type.Optional(
      Type.Unsafe<readonly Static<typeof StageBody>[]>(
        Type.Array(StageBody, {
          minItems: 1,
          maxItems: MAX_STAGE_COUNT,
          description: "Default: one stage with all devices",
        }),
      ),
    ),
    gates: Type.Optional(GatesBody),
    windows: Type.Optional(WindowsBody),
    start_at: Type.Optional(Type.String({ maxLength: 40, description: "ISO 8601; not before" })),
    max_concurrent: Count("Devices that update at the same time"),
    lease_seconds: Seconds(
      "How long a device counts as updating without reporting progress",
      ROLLOUT_DEFAULTS.lease_seconds,
      { minimum: 60, maximum: 7 * 24 * 60 * 60 },
    ),
    priority: Type.Optional(
      Type.Integer({
        minimum: -1000,
        maximum: 1000,
        description: "Higher goes first",
        default: ROLLOUT_DEFAULTS.priority,
      }),
    ),
    force: Type.Optional(
      Type.Union([Type.Literal("none"), Type.Literal("reinstall"), Type.Literal("any_order")], {
        description:
          "Offer releases that are not newer; devices with Skyslot's firmware refuse them and are left out",
        default: ROLLOUT_DEFAULTS.force,
      }),
    ),
    needs_approval: Type.Optional(
      Type.Boolean({
        description: "Another person has to approve it",
        default: ROLLOUT_DEFAULTS.needs_approval,
      }),
    ),
    seed: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: "Selects the devices of a share; use the seed of a plan to get the same devices",
      }),
    ),
  },
  { description: "A rollout: which release goes to whom, in which stages, when, and what stops it" },
);
export type RolloutInput = Static<typeof RolloutBody>;

export const ReasonBody = Exactly({
  reason: Type.Optional(
    Type.String({ maxLength: 300, description: "Shown with the rollout and in the logs" }),
  ),
});
export const RollBackBody = Exactly({
  firmware_id: Type.Optional(
    Type.Integer({
      ...Id,
      description:
        "The release to roll back to; default: the latest newer one. An older one: only for devices that accept it",
    }),
  ),
});
export const RolloutsQuery = Type.Object({
  state: Type.Optional(Name),
  firmware_id: Type.Optional(Id),
  device_type: Type.Optional(Name),
  ...Page,
});
export const MembersQuery = Type.Object({
  stage: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_STAGE_COUNT })),
  outcome: Type.Optional(Type.Union(OUTCOMES.map((outcome) => Type.Literal(outcome)))),
  ...Page,
});

/** A request as a plan, with defaults for what is absent. A sentence if it is invalid. */
export function readPlan(body: RolloutInput, name: string, seed: string): RolloutPlan | string {
  const startAt = body.start_at ? Date.parse(body.start_at) : null;
  if (startAt !== null && !Number.isFinite(startAt))
    return `start_at "${body.start_at}" is not a time: use ISO 8601, such as 2026-12-01T02:00:00Z`;
  const stages = (body.stages ?? [{ percent: 100 }]).map(readStage);
  const wrong = stages.find((stage) => typeof stage === "string");
  if (typeof wrong === "string") return wrong;
  const { lease_seconds, priority, force, needs_approval, windows } = { ...ROLLOUT_DEFAULTS, ...body };
  const gates = { ...GATE_DEFAULTS, ...body.gates };
  return {
    name,
    firmwareId: body.firmware_id,
    seed,
    target: readTarget(body.target ?? {}),
    stages: stages as Stage[],
    gates: {
      maxFailedFraction: gates.max_failed_fraction,
      maxRolledBackFraction: gates.max_rolled_back_fraction,
      maxSilentFraction: gates.max_silent_fraction,
      silentAfterMs: milliseconds(gates.silent_seconds),
      minSampleCount: gates.min_samples,
    },
    windows: windows ? { timeZone: windows.time_zone, spans: windows.spans } : null,
    startAt,
    maxConcurrentCount: body.max_concurrent ?? null,
    leaseMs: milliseconds(lease_seconds),
    priority,
    force,
    needsApproval: needs_approval,
  };
}

const milliseconds = (seconds: number): number => Math.round(seconds * 1000);

function readStage(stage: Static<typeof StageBody>, index: number): Stage | string {
  const { percent, groups } = stage;
  if ((percent === undefined) === (groups === undefined))
    return `stage ${index + 1} needs either percent or groups`;
  const terms = { ...STAGE_DEFAULTS, ...stage };
  const proof = {
    name: stage.name ?? (groups ? groups.join(", ") : `${percent} %`).slice(0, 64),
    soakMs: milliseconds(terms.soak_seconds),
    minValidatedCount: terms.min_validated,
    minValidatedFraction: terms.min_validated_fraction,
  };
  return groups ? { ...proof, groups } : { ...proof, percent: percent ?? 0 };
}

const readTarget = (target: Static<typeof TargetBody>): Target =>
  defined({
    hardware: target.hardware,
    tags: target.tags,
    groups: target.groups,
    devices: target.devices,
    fromVersion: target.from_version,
    toVersion: target.to_version,
  });
