// The fields of a rollout, in the order in which one thinks: what, to whom, in which stages, what stops it, when.

import type { FirmwareView } from "../../../api/release-views.js";
import { versionOf } from "../format.js";
import { Check, ChoiceField, TextField } from "../parts/fields.js";
import { type Force, newStage, type PlanForm, type Problems, type StageForm } from "./plan-form.js";
import { WindowFields } from "./window-fields.js";

interface FieldsProps {
  readonly form: PlanForm;
  readonly problems: Problems;
  readonly releases: readonly FirmwareView[];
  /** Index of the newest stage that has begun; absent: none has. What is settled is shown, and cannot be changed. */
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
  return (
    <>
      <fieldset>
        <legend>Release</legend>
        <div class="fields lead">
          <ChoiceField
            label="Release"
            value={form.firmwareId}
            problem={problems.firmwareId}
            choices={[["", "Choose…"], ...releases.map(choiceOf)]}
            isDisabled={hasBegun}
            onChange={(firmwareId) => onChange({ firmwareId })}
          />
          <TextField label="Name" hint="Left empty: the release's" {...text("name")} />
        </div>
      </fieldset>
      <fieldset>
        <legend>Stages</legend>
        <Stages
          {...{ problems, begunStage }}
          stages={form.stages}
          onChange={(stages) => onChange({ stages })}
        />
      </fieldset>
      <fieldset>
        <legend>What pauses it</legend>
        <div class="fields">
          <TextField label="Failures, %" hint="With roll backs" {...text("maxFailedPercent")} />
          <TextField label="Roll backs, %" {...text("maxRolledBackPercent")} />
          <TextField label="Silent devices, %" {...text("maxSilentPercent")} />
          <TextField label="Silent after, minutes" {...text("silentMinutes")} />
          <TextField label="Judged from" hint="Devices" {...text("minSamples")} />
        </div>
      </fieldset>
      <details>
        <summary>Only some devices</summary>
        <div class="fields">
          <TextField label="Tags" hint="Separated by commas; one of them" {...text("tags")} />
          <TextField label="Groups" {...text("groups")} />
          <TextField label="Boards" {...text("hardware")} />
          <TextField label="Devices" hint="Ids, separated by commas" {...text("devices")} />
          <TextField label="From version" {...text("fromVersion")} />
          <TextField label="To version" {...text("toVersion")} />
        </div>
      </details>
      <details>
        <summary>When, and how many at once</summary>
        <div class="fields">
          <TextField
            label="Begins"
            type="datetime-local"
            hint={hasBegun ? "It has begun" : "Left empty: when it is started"}
            isDisabled={hasBegun}
            {...text("startAt")}
          />
          <TextField
            label="At the same time"
            hint="Devices; left empty: any number"
            {...text("maxConcurrent")}
          />
          <TextField
            label="Updating for, minutes"
            hint="A device that tells of no progress for longer makes room for another"
            {...text("leaseMinutes")}
          />
          <TextField label="Priority" hint="Higher goes first" {...text("priority")} />
          <ChoiceField
            label="Offers"
            value={form.force}
            choices={FORCE_CHOICES}
            hint={hasBegun ? "It has begun" : FORCE_HINTS[form.force]}
            isDisabled={hasBegun}
            onChange={(force) => onChange({ force })}
          />
        </div>
        <WindowFields {...{ form, problems, onChange }} />
        <Check
          label="Another person has to approve it"
          isOn={form.needsApproval}
          isDisabled={hasBegun}
          onChange={(needsApproval) => onChange({ needsApproval })}
        />
      </details>
    </>
  );
}

const FORCE_CHOICES: readonly (readonly [Force, string])[] = [
  ["none", "What is newer"],
  ["reinstall", "The same version too"],
  ["any_order", "Older versions too"],
];
const FORCE_HINTS: Readonly<Record<Force, string>> = {
  none: "Than what a device runs",
  reinstall: "Devices with Skyslot's firmware refuse it, and are left out",
  any_order: "Devices with Skyslot's firmware refuse it, and are left out",
};

type TextName = {
  [Name in keyof PlanForm]: PlanForm[Name] extends string ? Name : never;
}[keyof PlanForm];

const choiceOf = ({ id, device_type, version, build_number, hardware, is_stable }: FirmwareView) =>
  [
    `${id}`,
    `${device_type} ${versionOf(version, build_number)} · ${hardware}${is_stable ? " · stable already" : ""}`,
  ] as const;

interface StagesProps {
  readonly stages: readonly StageForm[];
  readonly problems: Problems;
  readonly begunStage: number | undefined;
  readonly onChange: (stages: readonly StageForm[]) => void;
}

function Stages({ stages, problems, begunStage = -1, onChange }: StagesProps) {
  const change = (index: number, changes: Partial<StageForm>) =>
    onChange(stages.map((stage, at) => (at === index ? { ...stage, ...changes } : stage)));
  return (
    <>
      <ol class="stage-forms">
        {stages.map((stage, index) => (
          <li key={index} class="fields" aria-label={`Stage ${index + 1}`}>
            <ChoiceField
              label={`Stage ${index + 1}`}
              value={stage.by}
              isDisabled={index <= begunStage}
              choices={[
                ["percent", "Share"],
                ["groups", "Groups"],
              ]}
              onChange={(by) => change(index, { by })}
            />
            <TextField
              label={stage.by === "percent" ? "Up to, %" : "Names"}
              value={stage.value}
              isDisabled={index <= begunStage}
              problem={problems[`stages.${index}.value`]}
              onChange={(value) => change(index, { value })}
            />
            <TextField
              label="Soaks, minutes"
              value={stage.soakMinutes}
              isDisabled={index < begunStage}
              problem={problems[`stages.${index}.soakMinutes`]}
              onChange={(soakMinutes) => change(index, { soakMinutes })}
            />
            <TextField
              label="Validated, devices"
              value={stage.minValidated}
              isDisabled={index < begunStage}
              problem={problems[`stages.${index}.minValidated`]}
              onChange={(minValidated) => change(index, { minValidated })}
            />
            <TextField
              label="Validated, %"
              value={stage.minValidatedPercent}
              isDisabled={index < begunStage}
              problem={problems[`stages.${index}.minValidatedPercent`]}
              onChange={(minValidatedPercent) => change(index, { minValidatedPercent })}
            />
            <button
              type="button"
              class="quiet"
              disabled={stages.length === 1 || index <= begunStage}
              aria-label={`Remove stage ${index + 1}`}
              onClick={() => onChange(stages.filter((_, at) => at !== index))}
            >
              Remove
            </button>
          </li>
        ))}
      </ol>
      <button
        type="button"
        class="quiet"
        disabled={stages.length >= 20}
        onClick={() => onChange([...stages, newStage("100")])}
      >
        Add a stage
      </button>
    </>
  );
}
