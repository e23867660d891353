// Settings that are sent to devices, by name and value, as somebody types them.

import { readSettingValue, type SettingValue } from "../../../shared/setting-values.js";
import { TextField } from "../parts/fields.js";

export interface SettingRow {
  readonly name: string;
  readonly value: string;
}
export const EMPTY_ROW: SettingRow = { name: "", value: "" };

/** Settings of the apps that this project has; a device of another app says itself what it does not know. */
const KNOWN_SETTINGS: readonly (readonly [name: string, meaning: string])[] = [
  ["checkSeconds", "seconds between two checks; goes before the server's --poll-seconds, 0 takes it back"],
  ["deviceName", "its name for people"],
  ["pattern", "LED strip: solid, blink, yieldToOthers, rainbow, chase"],
  ["colour", "LED strip: #rrggbb"],
  ["brightness", "LED strip: percent"],
  ["speed", "LED strip: cycles a minute"],
  ["count", "LED strip: number of LEDs"],
  ["refreshSeconds", "panel: seconds between two looks for a picture"],
  ["sleepSeconds", "panel: seconds asleep"],
];

/** Rows without a name are left out. */
export const settingsOf = (rows: readonly SettingRow[]): Record<string, SettingValue> =>
  Object.fromEntries(
    rows
      .map(({ name, value }) => [name.trim(), readSettingValue(value.trim())] as const)
      .filter(([name]) => name !== ""),
  );

interface RowsProps {
  readonly rows: readonly SettingRow[];
  readonly onChange: (rows: readonly SettingRow[]) => void;
}

export function SettingRows({ rows, onChange }: RowsProps) {
  const change = (at: number, changes: Partial<SettingRow>) =>
    onChange(rows.map((row, index) => (index === at ? { ...row, ...changes } : row)));
  return (
    <div class="setting-rows">
      <datalist id="known-settings">
        {KNOWN_SETTINGS.map(([name, meaning]) => (
          <option key={name} value={name} label={meaning} />
        ))}
      </datalist>
      {rows.map((row, at) => (
        <div key={at} class="fields">
          <TextField
            label="Setting"
            value={row.name}
            list="known-settings"
            placeholder="brightness"
            hint={KNOWN_SETTINGS.find(([name]) => name === row.name.trim())?.[1]}
            onChange={(name) => change(at, { name })}
          />
          <TextField
            label="Value"
            value={row.value}
            placeholder="40"
            onChange={(value) => change(at, { value })}
          />
        </div>
      ))}
      <p class="hint">
        Named and judged as on the device's own pages. What is the owner's alone, it refuses.
      </p>
      <button type="button" class="quiet" onClick={() => onChange([...rows, EMPTY_ROW])}>
        Another setting
      </button>
    </div>
  );
}
