// The time windows within which updates may begin, all in one time zone.

import { WEEKDAYS } from "../format.js";
import { Button } from "../parts/button.js";
import { Check, CheckGroup, TextField } from "../parts/fields.js";
import { newWindow, type PlanForm, type Problems, type WindowForm } from "./plan-form.js";

/** Limit of the server. */
const MAX_WINDOW_COUNT = 20;

interface WindowsProps {
  readonly form: PlanForm;
  readonly problems: Problems;
  readonly onChange: (changes: Partial<PlanForm>) => void;
}

export function WindowFields({ form: { windows, time_zone: timeZone }, problems, onChange }: WindowsProps) {
  const put = (next: readonly WindowForm[]) => onChange({ windows: next });
  const change = (index: number, changes: Partial<WindowForm>) =>
    put(windows.map((window, at) => (at === index ? { ...window, ...changes } : window)));
  return (
    <>
      <Check
        label="Only within time windows"
        isOn={windows.length > 0}
        onChange={(isOn) => put(isOn ? [newWindow()] : [])}
      />
      {windows.length > 0 && (
        <div class="windows">
          <ol class="stage-forms">
            {windows.map((window, index) => (
              <Window
                key={index}
                {...{ window, index, problems }}
                onChange={(changes) => change(index, changes)}
                onRemove={() => put(windows.filter((_, at) => at !== index))}
              />
            ))}
          </ol>
          <div class="fields">
            <TextField
              label="Time zone"
              hint="Of the windows, such as Europe/Berlin"
              value={timeZone}
              onChange={(zone) => onChange({ time_zone: zone })}
            />
          </div>
          <Button
            isDisabled={windows.length >= MAX_WINDOW_COUNT}
            onClick={() => put([...windows, newWindow()])}
          >
            Add a window
          </Button>
        </div>
      )}
    </>
  );
}

interface WindowProps {
  readonly window: WindowForm;
  readonly index: number;
  readonly problems: Problems;
  readonly onChange: (changes: Partial<WindowForm>) => void;
  readonly onRemove: () => void;
}

function Window({ window: { weekdays, from, to }, index, problems, onChange, onRemove }: WindowProps) {
  const problem = (field: keyof WindowForm) => problems[`windows.${index}.${field}`];
  return (
    <li class="fields" aria-label={`Window ${index + 1}`}>
      <CheckGroup
        label={`Window ${index + 1}`}
        problem={problem("weekdays")}
        choices={WEEKDAYS}
        chosen={weekdays}
        onChange={(days) => onChange({ weekdays: days })}
      />
      <TextField
        label="From"
        type="time"
        value={from}
        problem={problem("from")}
        onChange={(time) => onChange({ from: time })}
      />
      <TextField
        label="To"
        type="time"
        hint={from !== "" && to !== "" && to <= from ? "On the next day" : ""}
        value={to}
        problem={problem("to")}
        onChange={(time) => onChange({ to: time })}
      />
      <Button label={`Remove window ${index + 1}`} onClick={onRemove}>
        Remove
      </Button>
    </li>
  );
}
