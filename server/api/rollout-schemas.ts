// The shapes of what is said about rollouts and about devices, as TypeBox schemas. Times are seconds or ISO 8601, shares are
// fractions of 1.

import { type Static, Type } from "@sinclair/typebox";
import { MAX_TAG_COUNT } from "../devices/labels.js";
import type { RolloutPlan, Stage, Target } from "../shared/rollout.js";
import { OUTCOMES } from "../store/store.js";
import { DeviceId, Exactly, Name, Page, VersionText } from "./schemas.js";

const MAX_STAGE_COUNT = 20;
const MAX_SPAN_COUNT = 20;
const MAX_DEVICE_COUNT = 1000;
const YEAR_SECONDS = 366 * 24 * 60 * 60;

/** Tags and groups: words of any language, without commas, so that they can stand in lists. */
export const Label = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[^\\s,\\u0000-\\u001f]([^,\\u0000-\\u001f]*[^\\s,\\u0000-\\u001f])?$",
});
const Clock = Type.String({ pattern: "^([01]\\d|2[0-3]):[0-5]\\d$", description: "Local time, HH:MM" });
const Fraction = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });
const Seconds = (description: string) => Type.Number({ minimum: 0, maximum: YEAR_SECONDS, description });

const TargetBody = Exactly(
  {
    hardware: Type.Optional(
      Type.Array(Name, { minItems: 1, maxItems: 50, description: "Boards, as devices report them" }),
    ),
    tags: Type.Optional(
      Type.Array(Label, { minItems: 1, maxItems: 50, description: "Devices with one of these tags" }),
    ),
    groups: Type.Optional(
      Type.Array(Label, { minItems: 1, maxItems: 50, description: "Devices of one of these groups" }),
    ),
    devices: Type.Optional(
      Type.Array(DeviceId, { minItems: 1, maxItems: MAX_DEVICE_COUNT, description: "Only these devices" }),
    ),
    from_version: Type.Optional(VersionText),
    to_version: Type.Optional(VersionText),
  },
  { description: "Whom the rollout is for. What is left out does not narrow; what is told must all hold." },
);

const StageBody = Exactly(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
    percent: Type.Optional(
      Type.Number({
        exclusiveMinimum: 0,
        maximum: 100,
        description: "Share of the target, with all stages before it",
      }),
    ),
    groups: Type.Optional(
      Type.Array(Label, { minItems: 1, maxItems: 50, description: "Groups, instead of a share" }),
    ),
    soak_seconds: Type.Optional(
      Seconds(
        "A device counts as evidence if it still reports so long after it validated the image; default one hour",
      ),
    ),
    min_validated: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: "Devices that must have soaked; default 1",
      }),
    ),
    min_validated_fraction: Type.Optional(
      Fraction("Share of the devices that got it which must have validated it; default 0.9"),
    ),
  },
  { description: "A step of the rollout: a share or groups, and what has to be proved before the next" },
);

const GatesBody = Exactly(
  {
    max_failed_fraction: Type.Optional(
      Fraction("Failures and roll backs among what ended; default 0.1, 1 never stops"),
    ),
    max_rolled_back_fraction: Type.Optional(Fraction("Roll backs alone; default 0.05")),
    max_silent_fraction: Type.Optional(Fraction("Devices that took it and went silent; default 0.2")),
    silent_seconds: Type.Optional(Seconds("When a device counts as silent; default one hour")),
    min_samples: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description: "Nothing is judged before so many devices; default 5",
      }),
    ),
  },
  { description: "What pauses the rollout" },
);

export const WindowsBody = Exactly(
  {
    time_zone: Type.String({ minLength: 1, maxLength: 64, description: "IANA name, such as Europe/Berlin" }),
    spans: Type.Array(
      Exactly({
        weekdays: Type.Array(Type.Integer({ minimum: 1, maximum: 7 }), {
          minItems: 1,
          maxItems: 7,
          description: "1 is Monday: the day on which the span begins",
        }),
        from: Clock,
        to: Clock,
      }),
      { minItems: 1, maxItems: MAX_SPAN_COUNT },
    ),
  },
  {
    description:
      "When updates may begin, by a place's own clock; a span whose end is before its start goes over midnight",
  },
);

export const RolloutBody = Exactly(
  {
    firmware_id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: "The release" }),
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
    target: Type.Optional(TargetBody),
    stages: Type.Optional(
      Type.Array(StageBody, {
        minItems: 1,
        maxItems: MAX_STAGE_COUNT,
        description: "Default: one stage with all devices",
      }),
    ),
    gates: Type.Optional(GatesBody),
    windows: Type.Optional(WindowsBody),
    start_at: Type.Optional(Type.String({ maxLength: 40, description: "ISO 8601; not before" })),
    max_concurrent: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1_000_000, description: "Devices that update at the same time" }),
    ),
    lease_seconds: Type.Optional(
      Type.Number({
        minimum: 60,
        maximum: 7 * 24 * 60 * 60,
        description:
          "A device that tells of no progress for so long no longer counts as updating; default 30 minutes",
      }),
    ),
    priority: Type.Optional(
      Type.Integer({ minimum: -1000, maximum: 1000, description: "Higher goes first; default 0" }),
    ),
    force: Type.Optional(
      Type.Union([Type.Literal("none"), Type.Literal("reinstall"), Type.Literal("any_order")], {
        description: "Offer what is not newer; devices with Skyslot's firmware refuse it and are left out",
      }),
    ),
    needs_approval: Type.Optional(
      Type.Boolean({ description: "Another person has to agree; default false" }),
    ),
    seed: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 64,
        description: "Makes the choice of a share; take that of a plan to get its devices",
      }),
    ),
  },
  { description: "A rollout: which release goes to whom, in which stages, when, and what stops it" },
);
export type RolloutInput = Static<typeof RolloutBody>;

export const ReasonBody = Exactly({
  reason: Type.Optional(Type.String({ maxLength: 300, description: "For those who ask later" })),
});
export const RollBackBody = Exactly({
  firmware_id: Type.Optional(
    Type.Integer({
      minimum: 1,
      description:
        "The release that they are led to; default: the newest that is newer. An older one: for devices that take it",
    }),
  ),
});
export const RolloutsQuery = Type.Object({
  state: Type.Optional(Name),
  firmware_id: Type.Optional(Type.Integer({ minimum: 1 })),
  device_type: Type.Optional(Name),
  ...Page,
});
export const PageQuery = Type.Object(Page);
export const MembersQuery = Type.Object({
  stage: Type.Optional(Type.Integer({ minimum: 0, maximum: MAX_STAGE_COUNT })),
  outcome: Type.Optional(Type.Union(OUTCOMES.map((outcome) => Type.Literal(outcome)))),
  ...Page,
});

const Tags = (description: string) =>
  Type.Optional(Type.Array(Label, { maxItems: MAX_TAG_COUNT, description }));
const labelChanges = {
  tags: Tags("Instead of all that it has"),
  add_tags: Tags("Beside those that it has"),
  remove_tags: Tags("No longer"),
  group: Type.Optional(Type.Union([Label, Type.Null()])),
  pin: Type.Optional(
    Type.Union([
      Type.String({ maxLength: 48, description: "The only version it is offered; null removes the pin" }),
      Type.Null(),
    ]),
  ),
};
export const DevicePatch = Exactly(labelChanges, { description: "What an operator says of a device" });
export const DevicesPatch = Exactly(
  { devices: Type.Array(DeviceId, { minItems: 1, maxItems: MAX_DEVICE_COUNT }), ...labelChanges },
  { description: "The same for many devices; each is judged by itself" },
);
export const TimelineQuery = Type.Object({
  before: Type.Optional(Type.Integer({ minimum: 1, description: "Only what is older than this event" })),
  limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
});

/** What a person described, with everything that they left out. A sentence if it cannot be. */
export function readPlan(body: RolloutInput, name: string, seed: string): RolloutPlan | string {
  const startAt = body.start_at ? Date.parse(body.start_at) : null;
  if (startAt !== null && !Number.isFinite(startAt))
    return `start_at "${body.start_at}" is no time: use ISO 8601, such as 2026-12-01T02:00:00Z`;
  const stages = (body.stages ?? [{ percent: 100 }]).map(readStage);
  const wrong = stages.find((stage) => typeof stage === "string");
  if (typeof wrong === "string") return wrong;
  const { gates = {}, windows } = body;
  return {
    name,
    firmwareId: body.firmware_id,
    seed,
    target: readTarget(body.target ?? {}),
    stages: stages as Stage[],
    gates: {
      maxFailedFraction: gates.max_failed_fraction ?? 0.1,
      maxRolledBackFraction: gates.max_rolled_back_fraction ?? 0.05,
      maxSilentFraction: gates.max_silent_fraction ?? 0.2,
      silentAfterMs: milliseconds(gates.silent_seconds ?? 3600),
      minSampleCount: gates.min_samples ?? 5,
    },
    windows: windows ? { timeZone: windows.time_zone, spans: windows.spans } : null,
    startAt,
    maxConcurrentCount: body.max_concurrent ?? null,
    leaseMs: milliseconds(body.lease_seconds ?? 1800),
    priority: body.priority ?? 0,
    force: body.force ?? "none",
    needsApproval: body.needs_approval ?? false,
  };
}

const milliseconds = (seconds: number): number => Math.round(seconds * 1000);

function readStage(stage: Static<typeof StageBody>, index: number): Stage | string {
  const { percent, groups } = stage;
  const place = `stage ${index + 1}`;
  if ((percent === undefined) === (groups === undefined)) return `${place} needs either percent or groups`;
  const terms = {
    name: stage.name ?? (groups ? groups.join(", ") : `${percent} %`).slice(0, 64),
    soakMs: milliseconds(stage.soak_seconds ?? 3600),
    minValidatedCount: stage.min_validated ?? 1,
    minValidatedFraction: stage.min_validated_fraction ?? 0.9,
  };
  return groups ? { ...terms, groups } : { ...terms, percent: percent ?? 0 };
}

const readTarget = (target: Static<typeof TargetBody>): Target => ({
  ...(target.hardware ? { hardware: target.hardware } : {}),
  ...(target.tags ? { tags: target.tags } : {}),
  ...(target.groups ? { groups: target.groups } : {}),
  ...(target.devices ? { devices: target.devices } : {}),
  ...(target.from_version ? { fromVersion: target.from_version } : {}),
  ...(target.to_version ? { toVersion: target.to_version } : {}),
});
