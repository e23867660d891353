// The time windows within which updates may begin, all in one time zone.

import { WEEKDAYS } from "../format.js";
import { Check, CheckGroup, TextField } from "../parts/fields.js";
import { newWindow, type PlanForm, type Problems } from "./plan-form.js";
import { RowForms } from "./row-forms.js";

interface WindowsProps {
  readonly form: PlanForm;
  readonly problems: Problems;
  readonly onChange: (changes: Partial<PlanForm>) => void;
}

export const WindowFields = ({
  form: { windows, time_zone: timeZone },
  problems,
  onChange,
}: WindowsProps) => (
  <>
    <Check
      label="Only within time windows"
      isOn={windows.length > 0}
      onChange={(isOn) => onChange({ windows: isOn ? [newWindow()] : [] })}
    />
    {windows.length > 0 && (
      <div class="windows">
        <RowForms
          name="Window"
          rows={windows}
          fresh={newWindow}
          onChange={(next) => onChange({ windows: next })}
          footer={
            <div class="fields">
              <TextField
                label="Time zone"
                hint="Of the windows, such as Europe/Berlin"
                value={timeZone}
                onChange={(zone) => onChange({ time_zone: zone })}
              />
            </div>
          }
        >
          {({ weekdays, from, to }, index, change) => (
            <>
              <CheckGroup
                label={`Window ${index + 1}`}
                problem={problems[`windows.${index}.weekdays`]}
                choices={WEEKDAYS}
                chosen={weekdays}
                onChange={(days) => change({ weekdays: days })}
              />
              <TextField
                label="From"
                type="time"
                value={from}
                problem={problems[`windows.${index}.from`]}
                onChange={(time) => change({ from: time })}
              />
              <TextField
                label="To"
                type="time"
                hint={from !== "" && to !== "" && to <= from ? "On the next day" : ""}
                value={to}
                problem={problems[`windows.${index}.to`]}
                onChange={(time) => change({ to: time })}
              />
            </>
          )}
        </RowForms>
      </div>
    )}
  </>
);
