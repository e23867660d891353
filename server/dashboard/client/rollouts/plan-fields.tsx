// The fields of a rollout: release and pace, and behind them stages, gates, target and schedule.

import type { FirmwareView } from "../../../api/release-views.js";
import { versionOf } from "../format.js";
import { Check, ChoiceField, TextField } from "../parts/fields.js";
import { type Force, newStage, type PlanForm, type Problems, type StageForm } from "./plan-form.js";
import { PACES, type Pace, paceOf, presetOf } from "./presets.js";
import { RowForms } from "./row-forms.js";
import { WindowFields } from "./window-fields.js";

interface FieldsProps {
  readonly form: PlanForm;
  readonly problems: Problems;
  readonly releases: readonly FirmwareView[];
  /** Index of the newest stage that has begun; absent: none has. What is fixed by then is shown disabled. */
  readonly begunStage?: number | undefined;
  readonly onChange: (changes: Partial<PlanForm>) => void;
}

export function PlanFields({ form, problems, releases, begunStage, onChange }: FieldsProps) {
  const hasBegun = begunStage !== undefined;
  const text = (name: TextName) => ({
    value: form[name],
    problem: problems[name],
    onChange: (value: string) => onChange({ [name]: value }),
  });
  const inGroup = <Group extends "gates" | "target">(group: Group, name: keyof PlanForm[Group] & string) => ({
    value: form[group][name] as string,
    problem: problems[`${group}.${name}`],
    onChange: (value: string) => onChange({ [group]: { ...form[group], [name]: value } }),
  });
  const gate = (name: keyof PlanForm["gates"]) => inGroup("gates", name);
  const target = (name: keyof PlanForm["target"]) => inGroup("target", name);
  const pace = paceOf(form);
  // What differs from a preset, or is wrong, is in view.
  const isOwn =
    pace === undefined || hasBegun || Object.keys(problems).some((name) => name !== "firmware_id");
  return (
    <>
      <fieldset>
        <legend>Release</legend>
        <div class="fields lead">
          <ChoiceField
            label="Release"
            value={form.firmware_id}
            problem={problems.firmware_id}
            choices={[["", "Choose…"], ...releases.map(choiceOf)]}
            disabled={hasBegun}
            onChange={(firmware_id) => onChange({ firmware_id })}
          />
          <TextField label="Name" hint="Defaults to the release name" {...text("name")} />
          {!hasBegun && (
            <ChoiceField<Pace | "">
              label="Pace"
              value={pace ?? ""}
              choices={[
                ...(pace ? [] : [["", "Own stages"] as const]),
                ...PACES.map(([one, name]) => [one, name] as const),
              ]}
              hint={PACES.find(([one]) => one === pace)?.[2] ?? "As set below"}
              onChange={(next) => next !== "" && onChange(presetOf(next))}
            />
          )}
        </div>
      </fieldset>
      <details class="advanced" open={isOwn}>
        <summary>Advanced: stages, gates, which devices, when</summary>
        <fieldset>
          <legend>Stages</legend>
          <Stages
            {...{ problems, begunStage }}
            stages={form.stages}
            onChange={(stages) => onChange({ stages })}
          />
        </fieldset>
        <fieldset>
          <legend>Pause when</legend>
          <div class="fields">
            <TextField label="Failures (%)" hint="Including rollbacks" {...gate("max_failed_fraction")} />
            <TextField label="Rollbacks (%)" {...gate("max_rolled_back_fraction")} />
            <TextField label="Silent devices (%)" {...gate("max_silent_fraction")} />
            <TextField label="Silent after (min)" {...gate("silent_seconds")} />
            <TextField label="Minimum samples" hint="Devices" {...gate("min_samples")} />
          </div>
        </fieldset>
        <details>
          <summary>Only some devices</summary>
          <div class="fields">
            <TextField
              label="Tags"
              hint="Separated by commas; a device needs one of them"
              {...target("tags")}
            />
            <TextField label="Groups" {...target("groups")} />
            <TextField label="Boards" {...target("hardware")} />
            <TextField label="Devices" hint="Ids, separated by commas" {...target("devices")} />
            <TextField label="From version" {...target("from_version")} />
            <TextField label="To version" {...target("to_version")} />
          </div>
        </details>
        <details>
          <summary>Schedule and limits</summary>
          <div class="fields">
            <TextField
              label="Begins"
              type="datetime-local"
              hint={hasBegun ? "Already begun" : "Defaults to when it is started"}
              disabled={hasBegun}
              {...text("start_at")}
            />
            <TextField
              label="Max. devices updating at once"
              hint="Empty: no limit"
              {...text("max_concurrent")}
            />
            <TextField
              label="Update timeout (min)"
              hint="A device without progress for this long no longer counts as updating"
              {...text("lease_seconds")}
            />
            <TextField label="Priority" hint="The highest wins" {...text("priority")} />
            <ChoiceField
              label="Offers"
              value={form.force}
              choices={FORCE_CHOICES}
              hint={hasBegun ? "Already begun" : FORCE_HINTS[form.force]}
              disabled={hasBegun}
              onChange={(force) => onChange({ force })}
            />
          </div>
          <WindowFields {...{ form, problems, onChange }} />
          <Check
            label="Requires approval by another person"
            isOn={form.needs_approval}
            isDisabled={hasBegun}
            onChange={(needs_approval) => onChange({ needs_approval })}
          />
        </details>
      </details>
    </>
  );
}

const FORCE_CHOICES: readonly (readonly [Force, string])[] = [
  ["none", "Newer versions"],
  ["reinstall", "The same version, too"],
  ["any_order", "Older versions, too"],
];
const FORCE_HINTS: Readonly<Record<Force, string>> = {
  none: "Than what a device runs",
  reinstall: "Devices with Skyslot's firmware refuse it and are left out",
  any_order: "Devices with Skyslot's firmware refuse it and are left out",
};

type TextName = {
  [Name in keyof PlanForm]: PlanForm[Name] extends string ? Name : never;
}[keyof PlanForm];

const choiceOf = ({ id, device_type, version, build_number, hardware, is_stable }: FirmwareView) =>
  [
    `${id}`,
    `${device_type} ${versionOf(version, build_number)} · ${hardware}${is_stable ? " · already stable" : ""}`,
  ] as const;

const STAGE_TERMS = [
  ["soak_seconds", "Soak time (min)"],
  ["min_validated", "Min. validated devices"],
  ["min_validated_fraction", "Min. validated (%)"],
] as const;

interface StagesProps {
  readonly stages: readonly StageForm[];
  readonly problems: Problems;
  readonly begunStage: number | undefined;
  readonly onChange: (stages: readonly StageForm[]) => void;
}

const Stages = ({ stages, problems, begunStage = -1, onChange }: StagesProps) => (
  <RowForms
    name="Stage"
    rows={stages}
    fresh={() => newStage("100")}
    isFixed={(index) => stages.length === 1 || index <= begunStage}
    onChange={onChange}
  >
    {(stage, index, change) => (
      <>
        <ChoiceField
          label={`Stage ${index + 1}`}
          value={stage.by}
          disabled={index <= begunStage}
          choices={[
            ["percent", "Share"],
            ["groups", "Groups"],
          ]}
          onChange={(by) => change({ by })}
        />
        <TextField
          label={stage.by === "percent" ? "Up to (%)" : "Names"}
          value={stage.value}
          disabled={index <= begunStage}
          problem={problems[`stages.${index}.value`]}
          onChange={(value) => change({ value })}
        />
        {STAGE_TERMS.map(([name, label]) => (
          <TextField
            key={name}
            label={label}
            value={stage[name]}
            disabled={index < begunStage}
            problem={problems[`stages.${index}.${name}`]}
            onChange={(value) => change({ [name]: value })}
          />
        ))}
      </>
    )}
  </RowForms>
);
