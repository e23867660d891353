// Asks who shows a picture, and when.

import { useEffect, useState } from "preact/hooks";
import { assign, type ImageView, listNames, type Names } from "./calls.js";
import { Field, Problem, Select, useWork } from "./controls.js";
import { judge, newSchedule, type Schedule, toTerms, WEEKDAYS } from "./schedule.js";

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
  /** What has been assigned, in words. */
  readonly onAssigned: (target: string) => void;
}

export function AssignForm({ image, onAssigned }: FormProps) {
  const [names, setNames] = useState<Names>();
  const [kind, setKind] = useState<Kind>("device");
  const [name, setName] = useState("");
  const [schedule, setSchedule] = useState(newSchedule);
  const { isBusy, problem, run } = useWork();
  useEffect(() => {
    // Without them one types.
    listNames().then(setNames, () => {});
  }, []);
  const wrong = judge(schedule);
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
        <Select label="Who shows it" value={kind} choices={KINDS} onChange={setKind} />
        {kind !== "default" && (
          <Field label={NAME_LABELS[kind]}>
            <input
              required
              maxLength={64}
              value={name}
              list={`names-${image.id}`}
              autocomplete="off"
              onInput={(event) => setName(event.currentTarget.value)}
            />
            <datalist id={`names-${image.id}`}>
              {names?.[kind].map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
          </Field>
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
        <Field label="From" hint="Empty: at once">
          <input
            type="datetime-local"
            value={from}
            onInput={(event) => onChange({ from: event.currentTarget.value })}
          />
        </Field>
        <Field label="Until" hint="Empty: for good">
          <input
            type="datetime-local"
            value={until}
            onInput={(event) => onChange({ until: event.currentTarget.value })}
          />
        </Field>
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={isWeekly}
          onChange={(event) => onChange({ isWeekly: event.currentTarget.checked })}
        />
        <span>Only at times of the week</span>
      </label>
      {isWeekly && (
        <fieldset class="week">
          <legend>Days and hours, by the clock of {timeZone}</legend>
          <div class="days">
            {WEEKDAYS.map((day, index) => (
              <label key={day} class="check">
                <input
                  type="checkbox"
                  checked={weekdays.includes(index + 1)}
                  onChange={(event) => toggle(index + 1, event.currentTarget.checked)}
                />
                <span>{day}</span>
              </label>
            ))}
          </div>
          <div class="row">
            <Field label="Each day from">
              <input
                type="time"
                value={start}
                onInput={(event) => onChange({ start: event.currentTarget.value })}
              />
            </Field>
            <Field label="To" hint="Before the start: over midnight">
              <input
                type="time"
                value={end}
                onInput={(event) => onChange({ end: event.currentTarget.value })}
              />
            </Field>
          </div>
        </fieldset>
      )}
    </>
  );
}

/** `device hall`, `every panel`. */
export const describeTarget = (kind: Kind, name: string): string =>
  kind === "default" ? "every panel" : `${kind} ${name}`;
