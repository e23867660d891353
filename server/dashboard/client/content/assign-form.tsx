// The form that assigns a picture: to which panels, and when.

import { useState } from "preact/hooks";
import type { ImageView } from "../../../api/content-views.js";
import { useAction } from "../data.js";
import { WEEKDAYS } from "../format.js";
import { Check, Checks, ChoiceField, Suggestions, TextField } from "../parts/fields.js";
import { Form, Submit } from "../parts/form.js";
import { useQuestion } from "../parts/question.js";
import { assign, isKnown, useTargetNames } from "./calls.js";
import { findProblem, newSchedule, type Schedule, toTerms } from "./schedule.js";

type Kind = "device" | "group" | "type" | "default";

const KINDS: readonly (readonly [Kind, string])[] = [
  ["device", "One device"],
  ["group", "A group of devices"],
  ["type", "A device type"],
  ["default", "Every panel"],
];
const NAME_LABELS = { device: "Device", group: "Group", type: "Device type" } as const;

interface FormProps {
  readonly image: Pick<ImageView, "id" | "name">;
  /** With a description of the target. */
  readonly onAssigned: (target: string) => void;
}

export function AssignForm({ image, onAssigned }: FormProps) {
  const names = useTargetNames();
  const [kind, setKind] = useState<Kind>("device");
  const [name, setName] = useState("");
  const [schedule, setSchedule] = useState(newSchedule);
  const { isBusy, problem, run, forget } = useAction();
  const wrong = findProblem(schedule);
  const question = useQuestion();
  const doAssign = async () => {
    const target = kind === "default" ? { kind } : { kind, name: name.trim() };
    await assign({ image_id: image.id, target, ...toTerms(schedule) });
    onAssigned(describeTarget(kind, name.trim()));
  };
  const submit = () =>
    run(async () => {
      if (kind === "default" || (await isKnown(kind, name.trim()))) return doAssign();
      question.ask({ ...UNKNOWN_TARGETS[kind](name.trim()), confirmName: "Assign anyway", work: doAssign });
    });
  const form = (
    <Form class="assign" onSubmit={submit} onEdit={forget} label={`Assign ${image.name}`}>
      <div class="row">
        <ChoiceField label="Shown by" value={kind} choices={KINDS} onChange={setKind} />
        {kind !== "default" && (
          <>
            <TextField
              label={NAME_LABELS[kind]}
              value={name}
              list={`names-${image.id}`}
              required
              maxLength={64}
              onChange={setName}
            />
            <Suggestions id={`names-${image.id}`} words={names[kind]} />
          </>
        )}
      </div>
      <Times schedule={schedule} onChange={(changes) => setSchedule({ ...schedule, ...changes })} />
      <Submit problem={wrong || problem} isDisabled={isBusy || wrong !== ""}>
        Assign
      </Submit>
    </Form>
  );
  return (
    <>
      {form}
      {question.dialog}
    </>
  );
}

/** Asked before a picture is assigned to what no device is: a name with a typing error would never be shown. */
const UNKNOWN_TARGETS = {
  device: (name: string) => ({
    title: `Is ${name} right?`,
    what: `No device ${name} has checked for updates here. The picture is shown if one with this name fetches it.`,
  }),
  group: (name: string) => ({
    title: `Is ${name} right?`,
    what: `No device is in a group ${name}. The picture is shown by devices that are put into it.`,
  }),
  type: (name: string) => ({
    title: `Is ${name} right?`,
    what: `No device of type ${name} has checked for updates here. The picture is shown by those that come.`,
  }),
} as const;

interface TimesProps {
  readonly schedule: Schedule;
  readonly onChange: (changes: Partial<Schedule>) => void;
}

function Times({ schedule, onChange }: TimesProps) {
  const { isWeekly, weekdays, timeZone } = schedule;
  const field = (name: "from" | "until" | "start" | "end") => ({
    value: schedule[name],
    onChange: (text: string) => onChange({ [name]: text }),
  });
  return (
    <>
      <div class="row">
        <TextField label="From" hint="Empty: immediately" type="datetime-local" {...field("from")} />
        <TextField label="Until" hint="Empty: no end" type="datetime-local" {...field("until")} />
      </div>
      <Check
        label="Only at certain times of the week"
        isOn={isWeekly}
        onChange={(isWeekly) => onChange({ isWeekly })}
      />
      {isWeekly && (
        <fieldset class="week">
          <legend>Days and hours, in {timeZone}</legend>
          <Checks choices={WEEKDAYS} chosen={weekdays} onChange={(weekdays) => onChange({ weekdays })} />
          <div class="row">
            <TextField label="Each day from" type="time" {...field("start")} />
            <TextField
              label="To"
              hint="If earlier than the start, it ends the next day"
              type="time"
              {...field("end")}
            />
          </div>
        </fieldset>
      )}
    </>
  );
}

/** `device hall`, `every panel`. */
export const describeTarget = (kind: Kind, name: string): string =>
  kind === "default" ? "every panel" : `${kind} ${name}`;
