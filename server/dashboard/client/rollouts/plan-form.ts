// The form of a rollout as text that somebody types, and the request that it stands for. Pure: what cannot be is said of the field,
// the rest the server judges.

import type { RolloutInput } from "../../../api/rollout-schemas.js";
import type { RolloutView } from "../../../shared/rollout-view.js";

export type Force = RolloutView["force"];
/** As the server bounds them. */
const WEEK_MINUTES = 7 * 24 * 60;
const YEAR_MINUTES = 366 * 24 * 60;

export interface StageForm {
  /** `percent`: a share of the target. `groups`: names, separated by commas. */
  readonly by: "percent" | "groups";
  readonly value: string;
  readonly soakMinutes: string;
  readonly minValidated: string;
  readonly minValidatedPercent: string;
  /** That it has of its own; empty: its share or groups. */
  readonly name: string;
}

/** A span of time within which updates may begin. */
export interface WindowForm {
  /** 1 is Monday: the days on which it begins. */
  readonly weekdays: readonly number[];
  readonly from: string;
  readonly to: string;
}

export interface PlanForm {
  readonly firmwareId: string;
  readonly name: string;
  readonly stages: readonly StageForm[];
  readonly tags: string;
  readonly groups: string;
  readonly hardware: string;
  readonly devices: string;
  readonly fromVersion: string;
  readonly toVersion: string;
  readonly maxFailedPercent: string;
  readonly maxRolledBackPercent: string;
  readonly maxSilentPercent: string;
  readonly silentMinutes: string;
  readonly minSamples: string;
  readonly maxConcurrent: string;
  readonly leaseMinutes: string;
  /** Local time of this computer, as `datetime-local` has it. */
  readonly startAt: string;
  /** None: at any time. */
  readonly windows: readonly WindowForm[];
  readonly timeZone: string;
  readonly priority: string;
  readonly force: Force;
  readonly needsApproval: boolean;
}

export const newStage = (value: string): StageForm => ({
  by: "percent",
  value,
  soakMinutes: "60",
  minValidated: "1",
  minValidatedPercent: "90",
  name: "",
});

export const newWindow = (): WindowForm => ({ weekdays: [1, 2, 3, 4, 5], from: "02:00", to: "05:00" });

/** Numbers as the server would choose them. */
export const newPlanForm = (firmwareId: string, timeZone: string): PlanForm => ({
  firmwareId,
  name: "",
  stages: [newStage("10"), newStage("100")],
  tags: "",
  groups: "",
  hardware: "",
  devices: "",
  fromVersion: "",
  toVersion: "",
  maxFailedPercent: "10",
  maxRolledBackPercent: "5",
  maxSilentPercent: "20",
  silentMinutes: "60",
  minSamples: "5",
  maxConcurrent: "",
  leaseMinutes: "30",
  startAt: "",
  windows: [],
  timeZone,
  priority: "0",
  force: "none",
  needsApproval: false,
});

/** The form that stands for what a rollout is. */
export function formOf(rollout: RolloutView, timeZone: string): PlanForm {
  const { target, gates, windows } = rollout;
  return {
    firmwareId: `${rollout.firmware_id}`,
    name: rollout.name,
    stages: rollout.stages.map(stageFormOf),
    tags: join(target.tags),
    groups: join(target.groups),
    hardware: join(target.hardware),
    devices: join(target.devices),
    fromVersion: target.from_version ?? "",
    toVersion: target.to_version ?? "",
    maxFailedPercent: percentOf(gates.max_failed_fraction),
    maxRolledBackPercent: percentOf(gates.max_rolled_back_fraction),
    maxSilentPercent: percentOf(gates.max_silent_fraction),
    silentMinutes: minutesOf(gates.silent_seconds),
    minSamples: `${gates.min_samples}`,
    maxConcurrent: rollout.max_concurrent === null ? "" : `${rollout.max_concurrent}`,
    leaseMinutes: minutesOf(rollout.lease_seconds),
    startAt: rollout.start_at === null ? "" : localMinute(new Date(rollout.start_at)),
    windows: windows?.spans ?? [],
    timeZone: windows?.time_zone ?? timeZone,
    priority: `${rollout.priority}`,
    force: rollout.force,
    needsApproval: rollout.needs_approval,
  };
}

function stageFormOf(stage: RolloutView["stages"][number]): StageForm {
  const named = stage.groups ? stage.groups.join(", ") : `${stage.percent} %`;
  return {
    by: stage.groups ? "groups" : "percent",
    value: stage.groups ? join(stage.groups) : `${stage.percent}`,
    soakMinutes: minutesOf(stage.soak_seconds),
    minValidated: `${stage.min_validated}`,
    minValidatedPercent: percentOf(stage.min_validated_fraction),
    name: stage.name === named.slice(0, 64) ? "" : stage.name,
  };
}

const join = (words: readonly string[] = []): string => words.join(", ");
/** Without what binary fractions leave behind. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6;
const minutesOf = (seconds: number): string => `${round(seconds / 60)}`;
const percentOf = (fraction: number): string => `${round(fraction * 100)}`;

/** As `datetime-local` has it: this computer's clock, to the minute. */
function localMinute(time: Date): string {
  const local = new Date(time.getTime() - time.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** Names of fields and what is wrong with them; of stages `stages.0.value` and so on, of windows `windows.0.from`. */
export type Problems = Readonly<Record<string, string>>;
export type ReadForm =
  | { readonly ok: true; readonly request: RolloutInput }
  | { readonly ok: false; readonly problems: Problems };

export function readPlanForm(form: PlanForm): ReadForm {
  const problems: Record<string, string> = {};
  const read = new FieldReader(form, problems);
  if (form.firmwareId === "") problems.firmwareId = "Choose a release.";
  const stages = form.stages.map((stage, index) => readStage(stage, index, problems));
  refuseShrinking(form.stages, problems);
  const windows = form.windows.map((window, index) => readWindow(window, index, problems));
  const startAt = form.startAt === "" ? undefined : new Date(form.startAt);
  if (startAt && Number.isNaN(startAt.getTime())) problems.startAt = "This is no point in time.";
  const request = {
    firmware_id: Number(form.firmwareId),
    ...given("name", form.name.trim()),
    target: {
      ...given("tags", list(form.tags)),
      ...given("groups", list(form.groups)),
      ...given("hardware", list(form.hardware)),
      ...given("devices", list(form.devices)),
      ...given("from_version", form.fromVersion.trim()),
      ...given("to_version", form.toVersion.trim()),
    },
    stages,
    gates: {
      max_failed_fraction: read.percent("maxFailedPercent"),
      max_rolled_back_fraction: read.percent("maxRolledBackPercent"),
      max_silent_fraction: read.percent("maxSilentPercent"),
      silent_seconds: read.minutes("silentMinutes", 0, YEAR_MINUTES),
      min_samples: read.count("minSamples", 1),
    },
    ...(windows.length > 0 ? { windows: { time_zone: form.timeZone.trim(), spans: windows } } : {}),
    ...(form.maxConcurrent.trim() === "" ? {} : { max_concurrent: read.count("maxConcurrent", 1) }),
    lease_seconds: read.minutes("leaseMinutes", 1, WEEK_MINUTES),
    priority: read.count("priority", -1000),
    force: form.force,
    needs_approval: form.needsApproval,
  };
  if (Object.keys(problems).length > 0) return { ok: false, problems };
  return { ok: true, request: { ...request, ...(startAt ? { start_at: startAt.toISOString() } : {}) } };
}

function readStage(stage: StageForm, index: number, problems: Record<string, string>) {
  const problem = (field: keyof StageForm, text: string) => {
    problems[`stages.${index}.${field}`] = text;
  };
  const soakMinutes = numberOf(stage.soakMinutes);
  if (!(soakMinutes >= 0)) problem("soakMinutes", "Minutes, 0 or more.");
  const minValidated = numberOf(stage.minValidated);
  if (!(Number.isInteger(minValidated) && minValidated >= 1))
    problem("minValidated", "A whole number from 1 on.");
  const share = numberOf(stage.minValidatedPercent);
  if (!(share >= 0 && share <= 100)) problem("minValidatedPercent", "From 0 to 100 %.");
  const terms = {
    soak_seconds: round(soakMinutes * 60),
    min_validated: minValidated,
    min_validated_fraction: share / 100,
    ...given("name", stage.name),
  };
  if (stage.by === "groups") {
    const groups = list(stage.value);
    if (groups.length === 0) problem("value", "Name a group at least.");
    return { ...terms, groups };
  }
  const percent = numberOf(stage.value);
  if (!(percent > 0 && percent <= 100)) problem("value", "A share above 0 and up to 100 %.");
  return { ...terms, percent };
}

function readWindow({ weekdays, from, to }: WindowForm, index: number, problems: Record<string, string>) {
  const problem = (field: keyof WindowForm, text: string) => {
    problems[`windows.${index}.${field}`] = text;
  };
  if (weekdays.length === 0) problem("weekdays", "Choose a day at least.");
  if (from === "") problem("from", "When it begins.");
  if (to === "") problem("to", "When it ends.");
  return { weekdays: [...weekdays].sort(), from, to };
}

/** A share counts the stages before it too: one that is not larger would add nobody. */
function refuseShrinking(stages: readonly StageForm[], problems: Record<string, string>): void {
  let largest = 0;
  for (const [index, { by, value }] of stages.entries()) {
    const percent = numberOf(value);
    if (by !== "percent" || !(percent > 0)) continue;
    if (percent <= largest)
      problems[`stages.${index}.value`] ??=
        `This adds nobody: the stages before it have ${largest} % already.`;
    largest = Math.max(largest, percent);
  }
}

class FieldReader {
  readonly #form: PlanForm;
  readonly #problems: Record<string, string>;

  constructor(form: PlanForm, problems: Record<string, string>) {
    this.#form = form;
    this.#problems = problems;
  }

  percent(name: "maxFailedPercent" | "maxRolledBackPercent" | "maxSilentPercent"): number {
    const value = numberOf(this.#form[name]);
    if (!(value >= 0 && value <= 100)) this.#problems[name] = "From 0 to 100 %.";
    return value / 100;
  }

  /** As seconds. */
  minutes(name: "silentMinutes" | "leaseMinutes", least: number, most: number): number {
    const value = numberOf(this.#form[name]);
    if (!(value >= least && value <= most))
      this.#problems[name] = `Minutes, from ${least} to ${most.toLocaleString("en")}.`;
    return round(value * 60);
  }

  count(name: "minSamples" | "maxConcurrent" | "priority", least: number): number {
    const value = numberOf(this.#form[name]);
    if (!(Number.isInteger(value) && value >= least))
      this.#problems[name] = `A whole number from ${least} on.`;
    return value;
  }
}

/** NaN of what is empty or no number; a comma is as good as a point, a percent sign may follow. */
const numberOf = (text: string): number => {
  const cleaned = text.trim().replace(/\s*%$/, "").replace(",", ".");
  return cleaned === "" ? Number.NaN : Number(cleaned);
};

/** Words separated by commas or new lines. */
const list = (text: string): string[] => [
  ...new Set(
    text
      .split(/[,\n]/)
      .map((word) => word.trim())
      .filter(Boolean),
  ),
];

/** Nothing, if there is nothing in it. */
const given = <Name extends string, Value extends string | readonly string[]>(name: Name, value: Value) =>
  (value.length === 0 ? {} : { [name]: value }) as { readonly [Key in Name]?: Value };
