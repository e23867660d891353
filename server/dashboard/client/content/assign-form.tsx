// The form that assigns a picture: to which panels, and when.

import { useEffect, useState } from "preact/hooks";
import { useAction } from "../data.js";
import { Check, ChoiceField, TextField } from "../parts/fields.js";
import { Problem } from "../parts/notes.js";
import { assign, type ImageView, listNames, type Names } from "./calls.js";
import { findProblem, newSchedule, type Schedule, toTerms, WEEKDAYS } from "./schedule.js";

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
  const [names, setNames] = useState<Names>();
  const [kind, setKind] = useState<Kind>("device");
  const [name, setName] = useState("");
  const [schedule, setSchedule] = useState(newSchedule);
  const { isBusy, problem, run } = useAction();
  useEffect(() => {
    // Without suggestions the name is typed.
    listNames().then(setNames, () => {});
  }, []);
  const wrong = findProblem(schedule);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    run(async () => {
      const target = kind === "default" ? { kind } : { kind, name: name.trim() };
      await assign({ image_id: image.id, target, ...toTerms(schedule) });
      onAssigned(describeTarget(kind, name.trim()));
    });
  };
  return (
    <form class="assign" onSubmit={submit} aria-label={`Assign ${image.name}`}>
      <div class="row">
        <ChoiceField label="Shown by" value={kind} choices={KINDS} onChange={setKind} />
        {kind !== "default" && (
          <>
            <TextField
              label={NAME_LABELS[kind]}
              value={name}
              list={`names-${image.id}`}
              isRequired
              maxLength={64}
              onChange={setName}
            />
            <datalist id={`names-${image.id}`}>
              {names?.[kind].map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          </>
        )}
      </div>
      <Times schedule={schedule} onChange={(changes) => setSchedule({ ...schedule, ...changes })} />
      <Problem text={wrong || problem} />
      <p class="actions">
        <button type="submit" disabled={isBusy || wrong !== ""}>
          Assign
        </button>
      </p>
    </form>
  );
}

interface TimesProps {
  readonly schedule: Schedule;
  readonly onChange: (changes: Partial<Schedule>) => void;
}

function Times({ schedule, onChange }: TimesProps) {
  const { from, until, isWeekly, weekdays, start, end, timeZone } = schedule;
  const toggle = (day: number, isOn: boolean) =>
    onChange({ weekdays: isOn ? [...weekdays, day] : weekdays.filter((each) => each !== day) });
  return (
    <>
      <div class="row">
        <TextField
          label="From"
          hint="Empty: immediately"
          type="datetime-local"
          value={from}
          onChange={(from) => onChange({ from })}
        />
        <TextField
          label="Until"
          hint="Empty: without end"
          type="datetime-local"
          value={until}
          onChange={(until) => onChange({ until })}
        />
      </div>
      <Check
        label="Only at certain times of the week"
        isOn={isWeekly}
        onChange={(isWeekly) => onChange({ isWeekly })}
      />
      {isWeekly && (
        <fieldset class="week">
          <legend>Days and hours, in {timeZone}</legend>
          <div class="days">
            {WEEKDAYS.map((day, index) => (
              <Check
                key={day}
                label={day}
                isOn={weekdays.includes(index + 1)}
                onChange={(isOn) => toggle(index + 1, isOn)}
              />
            ))}
          </div>
          <div class="row">
            <TextField
              label="Each day from"
              type="time"
              value={start}
              onChange={(start) => onChange({ start })}
            />
            <TextField
              label="To"
              hint="Before the start: over midnight"
              type="time"
              value={end}
              onChange={(end) => onChange({ end })}
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
