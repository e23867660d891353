// How routes about rollouts answer.

import { Type } from "@sinclair/typebox";
import { ROLLOUT_STATES } from "../../../shared/rollout.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { OUTCOMES } from "../../../store/store.js";
import type { MemberView, PlanView, WayBackView } from "../../rollout-views.js";
import {
  type Answers,
  created,
  listOf,
  named,
  ok,
  oneOf,
  optional,
  orNull,
  shapeOf,
  text,
  textOrNull,
  time,
  timeOrNull,
  whole,
  wholeOrNull,
  yes,
} from "./parts.js";

const COMMANDS = ["start", "approve", "pause", "resume", "promote", "cancel"];

const labels = (description: string) => optional(Type.Array(Type.String(), { description }));
const seconds = (description: string) => Type.Number({ description });
const fraction = (description: string) => Type.Number({ description });

const Stage = named(
  "Stage",
  "A step of a rollout: a share or groups, and what has to be proved before the next",
  {
    name: text(),
    percent: optional(Type.Number({ description: "Share of the target, with all stages before it" })),
    groups: labels("Groups, instead of a share"),
    soak_seconds: seconds(
      "A device counts as evidence if it still reports so long after it validated the image",
    ),
    min_validated: whole("Devices that must have soaked"),
    min_validated_fraction: fraction("Of the devices that got it, how many must have validated it, 0 to 1"),
    device_count: wholeOrNull(
      "Devices that could have it, without those of the stages before; null: not counted",
    ),
  },
);
const Target = named("RolloutTarget", "Whom a rollout is for; what is left out does not narrow", {
  hardware: labels("Boards, as devices report them"),
  tags: labels("Devices with one of these tags"),
  groups: labels("Devices of one of these groups"),
  devices: labels("Only these devices"),
  from_version: optional(text("The oldest that may run on them now, included")),
  to_version: optional(text("The newest that may run on them now, included")),
});
const Gates = named("Gates", "What pauses a rollout; a fraction of 1 never does", {
  max_failed_fraction: fraction("Failures and roll backs among what ended, 0 to 1"),
  max_rolled_back_fraction: fraction("Roll backs alone, 0 to 1"),
  max_silent_fraction: fraction("Devices that took it and went silent, 0 to 1"),
  silent_seconds: seconds("When a device counts as silent"),
  min_samples: whole("Nothing is judged before so many devices"),
});
/** Times of the week. */
export const Windows = named("Windows", "Times of the week, by a place's own clock", {
  time_zone: text("IANA name, such as Europe/Berlin"),
  spans: Type.Array(
    named("WindowSpan", "Over midnight if it ends before it begins", {
      weekdays: Type.Array(whole("1 is Monday: the day on which the span begins")),
      from: text("HH:MM"),
      to: text("HH:MM"),
    }),
  ),
});

const rolloutFields = {
  id: whole(),
  revision: whole("Counts the changes of its plan: what If-Match names"),
  name: text(),
  firmware_id: whole("The release"),
  state: oneOf(ROLLOUT_STATES),
  reason: text("Why it is in this state, for a person"),
  stage: whole("Index of the newest stage that is open"),
  stage_since: time(),
  target: Target,
  stages: Type.Array(Stage),
  gates: Gates,
  windows: orNull(Windows, "When updates may begin; null: always"),
  start_at: timeOrNull("Not before; null: at once"),
  max_concurrent: wholeOrNull("Devices that update at the same time; null: any number"),
  lease_seconds: seconds("A device that tells of no progress for so long no longer counts as updating"),
  priority: whole("Higher goes first"),
  force: oneOf(["none", "reinstall", "any_order"], "What it offers that is not newer"),
  needs_approval: yes("Another person has to agree"),
  seed: text("Makes the choice of a share"),
  created_by: text(),
  edited_by: textOrNull(),
  approved_by: textOrNull(),
  created_at: time(),
  updated_at: time(),
  started_at: timeOrNull(),
  ended_at: timeOrNull(),
};
const Rollout = shapeOf<RolloutView>()(
  "Rollout",
  "Which release goes to whom, in which stages, when, and what stops it",
  rolloutFields,
);
const StageTally = named(
  "StageTally",
  "What happened to the devices of one stage; each counts by its last outcome",
  {
    given: whole("Were offered it"),
    updating: whole("Are at it now"),
    validated: whole("Run it and have validated it"),
    soaked: whole("Validated it, and are still heard of after the soak time"),
    failed: whole(),
    rolled_back: whole(),
    silent: whole("Took it, or began to, and are not heard of"),
  },
);
const Progress = named("RolloutProgress", "A rollout and what happened to its devices", {
  ...rolloutFields,
  tallies: Type.Array(StageTally, { description: "One a stage" }),
  next: Type.Object(
    { kind: oneOf(["stay", "start", "pause", "promote", "finish"]), reason: text("For people") },
    { description: "What it does now or waits for" },
  ),
  release: textOrNull("A person's name for the release"),
  time: time("The server's"),
});
export const Member = shapeOf<MemberView>()("RolloutDevice", "A device that a rollout offered something", {
  device_id: text(),
  firmware_id: whole("What it was offered last: the release, or a stepping stone to it"),
  stage: whole("Index of its stage"),
  from_version: text("What ran before"),
  first_given_at: time(),
  last_given_at: time(),
  lease_until: timeOrNull("It counts as updating until then; null: it does not"),
  updating: yes("It has told that it takes the release, and not yet how that ended"),
  outcome: orNull(oneOf(OUTCOMES), "null: not ended yet"),
  outcome_at: timeOrNull(),
  error_code: textOrNull("Of a failure"),
});
const Plan = shapeOf<PlanView>()("RolloutPlan", "What a rollout would do, device by device", {
  seed: text("Of the choice: make the rollout with it to get these devices"),
  device_count: whole(),
  excluded_count: whole("Devices"),
  bytes: whole("To be downloaded by all"),
  stages: Type.Array(
    Type.Object({
      name: text(),
      device_count: whole(),
      bytes: whole(),
      earliest_at: timeOrNull("null: it cannot be told"),
    }),
  ),
  excluded_by: Type.Record(Type.String(), Type.Integer(), { description: "How many devices, by verdict" }),
  devices: Type.Array(
    Type.Object({
      device_id: text(),
      stage: whole("Index"),
      firmware_ids: Type.Array(Type.Integer(), {
        description: "One after the other: stepping stones first",
      }),
      bytes: whole(),
      earliest_at: timeOrNull("null: it cannot be told"),
    }),
    { description: "The part that limit and offset ask for" },
  ),
  excluded: Type.Array(
    Type.Object({
      device_id: text(),
      verdict: Type.Unsafe<PlanView["excluded"][number]["verdict"]>(text("A code, such as NOT_TARGETED")),
      sentence: text("For people"),
    }),
  ),
  notes: Type.Array(Type.String(), { description: "What else a person should know" }),
});
const WayBack = shapeOf<WayBackView>()("WayBack", "A release that the devices of a rollout could be led to", {
  firmware_id: whole(),
  release: text("A person's name for it"),
  is_newer: yes("Devices with Skyslot's firmware refuse what is not newer than what they run"),
  is_default: yes("It is taken if none is named"),
});

/** Of `/api/rollouts`. */
export const ROLLOUT_ANSWERS: Answers = Object.freeze({
  "GET /api/rollouts": ok(listOf("rollouts", Rollout)),
  "POST /api/rollouts": created(Rollout),
  "POST /api/rollouts/plan": ok(Plan),
  "GET /api/rollouts/:id": ok(Progress),
  "PATCH /api/rollouts/:id": ok(Progress),
  "GET /api/rollouts/:id/plan": ok(Plan),
  "POST /api/rollouts/:id/plan": ok(Plan),
  "GET /api/rollouts/:id/devices": ok(listOf("devices", Member)),
  "GET /api/rollouts/:id/rollback": ok(Type.Object({ releases: Type.Array(WayBack) })),
  "POST /api/rollouts/:id/rollback": created(
    Type.Object({ ended: Rollout, back: Rollout }),
    "It has ended, and another leads back",
  ),
  ...Object.fromEntries(COMMANDS.map((kind) => [`POST /api/rollouts/:id/${kind}`, ok(Progress)])),
});
