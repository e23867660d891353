// Rollouts, their plans, tallies and devices as clients see them: snake_case, times in ISO 8601 or seconds.

import { type Static, Type } from "@sinclair/typebox";
import { advance } from "../rollout/advance.js";
import type { FleetPlan } from "../rollout/fleet-plan.js";
import type { WayBack } from "../rollout/roll-back.js";
import { noteUnvouched } from "../rollout/unvouched.js";
import { nameRelease, ROLLOUT_STATES, type Rollout, type StageTally, type Tally } from "../shared/rollout.js";
import { viewRollout } from "../shared/rollout-view.js";
import { type Member, OUTCOMES, type RegistrationPolicy } from "../store/store.js";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  integerOrNull,
  list,
  named,
  oneOf,
  orNull,
  text,
  textOrNull,
} from "./fields.js";
import { GatesBody, RolloutBody, StageBody, TargetBody, WindowSpan, WindowsBody } from "./rollout-schemas.js";
import { viewer } from "./view.js";

/** Times of the week. */
export const WindowsView = named("Windows", "Times of the week, in local time of a time zone", {
  ...WindowsBody.properties,
  spans: list(named("WindowSpan", "Over midnight if it ends before it begins", WindowSpan.properties)),
});

const { name, percent, groups, ...stageTerms } = StageBody.properties;
const StageView = named(
  "Stage",
  "A step of a rollout: a share or groups, and what has to be proved before the next",
  {
    name: text(),
    percent,
    groups,
    ...Type.Required(Type.Object(stageTerms)).properties,
    device_count: integerOrNull("Eligible devices, without those of earlier stages; null: not counted yet"),
  },
);
const { max_concurrent, start_at, windows, ...planned } = Type.Required(RolloutBody).properties;

export const RolloutAnswer = named(
  "Rollout",
  "Which release goes to whom, in which stages, when, and what stops it",
  {
    ...planned,
    target: named(
      "RolloutTarget",
      "Which devices a rollout is for; absent: not restricted",
      TargetBody.properties,
    ),
    stages: list(StageView),
    gates: named(
      "Gates",
      "What pauses a rollout; a fraction of 1 never does",
      Type.Required(GatesBody).properties,
    ),
    windows: orNull(WindowsView, "When updates may begin; null: always"),
    start_at: dateTimeOrNull("Not before; null: at once"),
    max_concurrent: orNull(max_concurrent, "Devices that update at the same time; null: no limit"),
    id: integer(),
    revision: integer("Number of its plan's revision, for If-Match"),
    state: oneOf(ROLLOUT_STATES),
    reason: text("Why it is in this state, for people"),
    stage: integer("Index of the newest open stage"),
    stage_since: dateTime(),
    created_by: text(),
    edited_by: textOrNull(),
    approved_by: textOrNull(),
    created_at: dateTime(),
    updated_at: dateTime(),
    started_at: dateTimeOrNull(),
    ended_at: dateTimeOrNull(),
  },
);

const StageTallyView = named(
  "StageTally",
  "What happened to the devices of one stage that count; each counts by its last outcome",
  {
    given: integer("Were offered it; without those that are not counted"),
    updating: integer("Are updating now"),
    validated: integer("Run it and have validated it"),
    soaked: integer("Validated it, and still report after the soak time"),
    failed: integer(),
    rolled_back: integer(),
    silent: integer("Took it, or began to, and have stopped reporting"),
  },
);
const viewStageTally = (tally: StageTally): Static<typeof StageTallyView> => ({
  given: tally.givenCount,
  updating: tally.updatingCount,
  validated: tally.validatedCount,
  soaked: tally.soakedCount,
  failed: tally.failedCount,
  rolled_back: tally.rolledBackCount,
  silent: tally.silentCount,
});

export const ProgressAnswer = named("RolloutProgress", "A rollout and what happened to its devices", {
  ...RolloutAnswer.properties,
  tallies: list(StageTallyView, "One per stage"),
  uncounted: integer(
    "Devices that were offered it and are in no other number: nobody vouched for them, and they registered after it began",
  ),
  notes: list(Type.String(), "What else an operator should know"),
  next: Type.Object(
    { kind: oneOf(["stay", "start", "pause", "promote", "finish"]), reason: text("For people") },
    { description: "What it does now or waits for" },
  ),
  release: textOrNull("Readable name of the release"),
  time: dateTime("The server's"),
});
/** A rollout with what happened to its devices, and what it waits for. */
export function viewProgress(
  rollout: Rollout,
  tally: Tally,
  policy: RegistrationPolicy | undefined,
  now: number,
) {
  const { kind, reason } = advance(rollout, tally, now);
  return {
    ...viewRollout(rollout),
    tallies: tally.stages.map(viewStageTally),
    uncounted: tally.uncountedCount,
    notes: noteProgress(rollout, tally, policy),
    next: { kind, reason },
  };
}

/** What has ended waits for no device. */
const noteProgress = (
  { state }: Rollout,
  { uncountedCount }: Tally,
  policy: RegistrationPolicy | undefined,
): readonly string[] =>
  policy === undefined || state === "cancelled" || state === "finished"
    ? []
    : noteUnvouched(policy, { countedCount: 0, uncountedCount });
export type ProgressView = ReturnType<typeof viewProgress>;

export const MemberView = named("RolloutDevice", "A device that was offered something by a rollout", {
  device_id: text(),
  firmware_id: integer("Its last offer: the release, or an intermediate one"),
  stage: integer("Index of its stage"),
  from_version: text("What ran before"),
  first_given_at: dateTime(),
  last_given_at: dateTime(),
  lease_until: dateTimeOrNull("It counts as updating until then; null: it does not"),
  updating: boolean("It has reported that it takes the release, and not yet the outcome"),
  outcome: orNull(oneOf(OUTCOMES), "null: none yet"),
  outcome_at: dateTimeOrNull(),
  error_code: textOrNull("Of a failure"),
  counted: boolean("false: it is in no number of the rollout, because nobody vouched for it"),
});
export type MemberView = Static<typeof MemberView>;
export const viewMember = viewer(MemberView, (member: Member, counted: boolean) => ({
  ...member,
  updating: member.isUpdating,
  counted,
}));

const PlannedStage = Type.Object({
  name: text(),
  device_count: integer("Devices that count"),
  uncounted_count: integer("Devices that get it too, and do not count"),
  bytes: integer("Of both"),
  earliest_at: dateTimeOrNull("null: cannot be predicted"),
});
const PlannedDevice = Type.Object({
  device_id: text(),
  stage: integer("Index"),
  firmware_ids: list(Type.Integer(), "In order: intermediate releases first"),
  counted: boolean("false: it gets it and proves nothing, because nobody vouched for it"),
  bytes: integer(),
  earliest_at: dateTimeOrNull("null: cannot be predicted"),
});
const ExcludedDevice = Type.Object({
  device_id: text(),
  verdict: text("A code, such as NOT_TARGETED"),
  sentence: text("For people"),
});
export const PlanView = named("RolloutPlan", "What a rollout would do, device by device", {
  seed: text("Create the rollout with this seed to get the same devices"),
  device_count: integer("Devices that get it, whether they count or not"),
  uncounted_count: integer(
    "Of these, the ones that do not count: nobody vouched for them, and they registered after it began",
  ),
  unvouched_count: integer(
    "Of these, the ones that nobody vouched for; those that were known before it began count",
  ),
  excluded_count: integer("Devices"),
  bytes: integer("To be downloaded by all devices"),
  stages: list(PlannedStage),
  excluded_by: Type.Record(Type.String(), Type.Integer(), { description: "Number of devices, by verdict" }),
  devices: list(PlannedDevice, "The part that limit and offset select"),
  excluded: list(ExcludedDevice),
  notes: list(Type.String(), "What else an operator should know"),
});
export type PlanView = Static<typeof PlanView>;
const viewPlannedStage = viewer(PlannedStage);
const viewPlannedDevice = viewer(PlannedDevice, (device: FleetPlan["devices"][number]) => ({
  ...device,
  counted: device.isCounted,
}));
const viewExcludedDevice = viewer(ExcludedDevice);
export const viewPlan = viewer(PlanView, (plan: FleetPlan, { seed }: Rollout) => ({
  ...plan,
  seed,
  stages: plan.stages.map(viewPlannedStage),
  excludedBy: Object.fromEntries(plan.excludedBy),
  devices: plan.devices.map(viewPlannedDevice),
  excluded: plan.excluded.map(viewExcludedDevice),
}));

export const WayBackView = named("WayBack", "A release that a rollout can be rolled back to", {
  firmware_id: integer(),
  release: text("Readable name"),
  is_newer: boolean("Devices with Skyslot's firmware refuse what is not newer than what they run"),
  is_default: boolean("Used if none is named"),
});
export type WayBackView = Static<typeof WayBackView>;
export const viewWayBack = ({ release, isNewer, isDefault }: WayBack): WayBackView => ({
  firmware_id: release.id,
  release: nameRelease(release),
  is_newer: isNewer,
  is_default: isDefault,
});
