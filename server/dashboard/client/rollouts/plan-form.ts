// The form of a rollout: texts as they are typed, under the names that the request has for them. Reads them into a request, and writes a
// rollout as such texts. Pure: what cannot be read is reported at its field; everything else is checked by the server.

import type { RolloutInput } from "../../../api/rollout-schemas.js";
import { GATE_DEFAULTS, ROLLOUT_DEFAULTS, STAGE_DEFAULTS } from "../../../shared/rollout-defaults.js";
import type { RolloutView } from "../../../shared/rollout-view.js";
import { listOf } from "../format.js";

export type Force = RolloutView["force"];
/** Limits of the server. */
const WEEK_MINUTES = 7 * 24 * 60;
const YEAR_MINUTES = 366 * 24 * 60;

/** How a value of the request is written in the form, and read from it. */
interface Field {
  readonly write: (value: never) => string;
  /** `undefined`: not such a value. */
  readonly read: (text: string) => unknown;
  /** What is expected instead. */
  readonly problem?: string;
  /** Left empty, it is absent from the request. */
  readonly isOptional?: true;
}
type Fields = Readonly<Record<string, Field>>;
type Texts<Group> = { readonly [Name in keyof Group]: string };
type Optional<Group> = {
  [Name in keyof Group]: Group[Name] extends { readonly isOptional: true } ? Name : never;
}[keyof Group];
type Values<Group extends Fields> = {
  [Name in Exclude<keyof Group, Optional<Group>>]: ValueOf<Group[Name]>;
} & { [Name in Optional<Group>]?: ValueOf<Group[Name]> };
type ValueOf<One extends Field> = Exclude<ReturnType<One["read"]>, undefined>;

/** Without rounding errors of binary fractions. */
const round = (value: number): number => Math.round(value * 1e6) / 1e6;
const numberField = (isValid: (value: number) => boolean, problem: string, toForm = 1) => ({
  write: (value: number) => `${round(value * toForm)}`,
  read: (text: string) => {
    const value = numberOf(text);
    return isValid(value) ? (toForm < 1 ? round(value / toForm) : value / toForm) : undefined;
  },
  problem,
});
const percent = numberField((value) => value >= 0 && value <= 100, "From 0 to 100 %.", 100);
/** Of seconds. */
const minutes = (least: number, most: number) =>
  numberField(
    (value) => value >= least && value <= most,
    `Minutes, from ${least} to ${most.toLocaleString("en")}.`,
    1 / 60,
  );
const count = (least: number) =>
  numberField((value) => Number.isInteger(value) && value >= least, `An integer of at least ${least}.`);
const word = { write: (text: string) => text, read: (text: string) => text, isOptional: true as const };
const words = {
  write: (names: readonly string[]) => names.join(", "),
  read: (text: string) => listOf(text),
  isOptional: true as const,
};
/** As `datetime-local` has it: this computer's clock, to the minute. */
const localTime = {
  write: (iso: string) => {
    const time = new Date(iso);
    return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
  },
  read: (text: string) => (Number.isNaN(Date.parse(text)) ? undefined : new Date(text).toISOString()),
  problem: "Not a valid time.",
  isOptional: true as const,
};

const TARGET = {
  tags: words,
  groups: words,
  hardware: words,
  devices: words,
  from_version: word,
  to_version: word,
};
const GATES = {
  max_failed_fraction: percent,
  max_rolled_back_fraction: percent,
  max_silent_fraction: percent,
  silent_seconds: minutes(0, YEAR_MINUTES),
  min_samples: count(1),
};
const STAGE = {
  soak_seconds: minutes(0, YEAR_MINUTES),
  min_validated: count(1),
  min_validated_fraction: percent,
  name: word,
};
const ROLLOUT = {
  name: word,
  max_concurrent: { ...count(1), isOptional: true as const },
  lease_seconds: minutes(1, WEEK_MINUTES),
  priority: count(-1000),
  start_at: localTime,
};

export interface StageForm extends Texts<typeof STAGE> {
  /** `percent`: a share of the target. `groups`: names, separated by commas. */
  readonly by: "percent" | "groups";
  readonly value: string;
}

/** A time span within which updates may begin. */
export interface WindowForm {
  /** 1 is Monday: the days on which it begins. */
  readonly weekdays: readonly number[];
  readonly from: string;
  readonly to: string;
}

export interface PlanForm extends Texts<typeof ROLLOUT> {
  readonly firmware_id: string;
  readonly target: Texts<typeof TARGET>;
  readonly stages: readonly StageForm[];
  readonly gates: Texts<typeof GATES>;
  /** Empty: at any time. */
  readonly windows: readonly WindowForm[];
  readonly time_zone: string;
  readonly force: Force;
  readonly needs_approval: boolean;
}

export const newWindow = (): WindowForm => ({ weekdays: [1, 2, 3, 4, 5], from: "02:00", to: "05:00" });

export const newStage = (value: string): StageForm => ({
  ...write(STAGE, STAGE_DEFAULTS),
  by: "percent",
  value,
});

export const newGates = (): PlanForm["gates"] => write(GATES, GATE_DEFAULTS);

export const newPlanForm = (firmwareId: string, timeZone: string): PlanForm => ({
  ...write(ROLLOUT, ROLLOUT_DEFAULTS),
  firmware_id: firmwareId,
  target: write(TARGET, {}),
  stages: [newStage("10"), newStage("100")],
  gates: newGates(),
  windows: [],
  time_zone: timeZone,
  force: ROLLOUT_DEFAULTS.force,
  needs_approval: ROLLOUT_DEFAULTS.needs_approval,
});

/** The form of an existing rollout. */
export const formOf = (rollout: RolloutView, timeZone: string): PlanForm => ({
  ...write(ROLLOUT, rollout),
  firmware_id: `${rollout.firmware_id}`,
  target: write(TARGET, rollout.target),
  stages: rollout.stages.map(stageFormOf),
  gates: write(GATES, rollout.gates),
  windows: rollout.windows?.spans ?? [],
  time_zone: rollout.windows?.time_zone ?? timeZone,
  force: rollout.force,
  needs_approval: rollout.needs_approval,
});

function stageFormOf(stage: RolloutView["stages"][number]): StageForm {
  const { groups, percent: share, name } = stage;
  // The server names a stage after its share or groups.
  const isNamed = name !== (groups?.join(", ") ?? `${share} %`).slice(0, 64);
  return {
    ...write(STAGE, { ...stage, name: isNamed ? name : "" }),
    by: groups ? "groups" : "percent",
    value: groups ? words.write(groups) : `${share}`,
  };
}

function write<Group extends Fields>(group: Group, values: object): Texts<Group> {
  const given = values as Readonly<Record<string, never>>;
  const texts = Object.entries(group).map(([name, field]) => [
    name,
    given[name] == null ? "" : field.write(given[name]),
  ]);
  return Object.fromEntries(texts) as Texts<Group>;
}

/** Names of fields and what is wrong with them, such as `priority`, `gates.min_samples`, `stages.0.value`, `windows.0.from`. */
export type Problems = Readonly<Record<string, string>>;
type Report = (field: string, problem: string) => void;
export type ReadForm =
  | { readonly ok: true; readonly request: RolloutInput }
  | { readonly ok: false; readonly problems: Problems };

export function readPlanForm(form: PlanForm): ReadForm {
  const problems: Record<string, string> = {};
  const under =
    (prefix: string): Report =>
    (field, problem) => {
      problems[`${prefix}${field}`] ??= problem;
    };
  if (form.firmware_id === "") problems.firmware_id = "Choose a release.";
  const windows = form.windows.map((window, index) => readWindow(window, under(`windows.${index}.`)));
  const request: RolloutInput = {
    firmware_id: Number(form.firmware_id),
    target: read(TARGET, form.target, under("target.")),
    stages: form.stages.map((stage, index) => readStage(stage, under(`stages.${index}.`))),
    gates: read(GATES, form.gates, under("gates.")),
    ...(windows.length > 0 ? { windows: { time_zone: form.time_zone.trim(), spans: windows } } : {}),
    ...read(ROLLOUT, form, under("")),
    force: form.force,
    needs_approval: form.needs_approval,
  };
  refuseShrinking(form.stages, under("stages."));
  return Object.keys(problems).length > 0 ? { ok: false, problems } : { ok: true, request };
}

function read<Group extends Fields>(group: Group, texts: Texts<Group>, report: Report): Values<Group> {
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(group)) {
    const text = texts[name as keyof Group].trim();
    if (text === "" && field.isOptional) continue;
    const value = field.read(text);
    if (value === undefined) report(name, field.problem ?? "");
    else values[name] = value;
  }
  return values as Values<Group>;
}

function readStage(stage: StageForm, report: Report) {
  const terms = read(STAGE, stage, report);
  if (stage.by === "groups") {
    const groups = listOf(stage.value);
    if (groups.length === 0) report("value", "Enter at least one group.");
    return { ...terms, groups };
  }
  const share = numberOf(stage.value);
  if (!(share > 0 && share <= 100)) report("value", "A share above 0 and up to 100 %.");
  return { ...terms, percent: share };
}

function readWindow({ weekdays, from, to }: WindowForm, report: Report) {
  if (weekdays.length === 0) report("weekdays", "Choose at least one day.");
  if (from === "") report("from", "Enter when it begins.");
  if (to === "") report("to", "Enter when it ends.");
  return { weekdays: [...weekdays].sort(), from, to };
}

/** A share includes the stages before it: one that is not larger would add no device. */
function refuseShrinking(stages: readonly StageForm[], report: Report): void {
  let largest = 0;
  for (const [index, { by, value }] of stages.entries()) {
    const share = numberOf(value);
    if (by !== "percent" || !(share > 0)) continue;
    if (share <= largest)
      report(`${index}.value`, `This adds no devices: the stages before it already have ${largest} %.`);
    largest = Math.max(largest, share);
  }
}

/** NaN if empty or not a number; a decimal comma and a percent sign are accepted. */
const numberOf = (text: string): number => {
  const cleaned = text.trim().replace(/\s*%$/, "").replace(",", ".");
  return cleaned === "" ? Number.NaN : Number(cleaned);
};
