// Settings to send to devices, by name and value, as they are typed.

import { readSettingValue, type SettingValue } from "../../../shared/setting-values.js";
import { Button } from "../parts/button.js";
import { TextField } from "../parts/fields.js";

export interface SettingRow {
  readonly name: string;
  readonly value: string;
}
export const EMPTY_ROW: SettingRow = { name: "", value: "" };

/** Settings of the apps of this project; devices with other apps refuse names that they do not know. */
const KNOWN_SETTINGS: readonly (readonly [name: string, meaning: string])[] = [
  ["checkSeconds", "seconds between two checks; overrides the server's --poll-seconds, 0 resets it"],
  ["deviceName", "readable name"],
  ["pattern", "LED strip: solid, blink, breathe, rainbow, chase"],
  ["colour", "LED strip: #rrggbb"],
  ["brightness", "LED strip: percent"],
  ["speed", "LED strip: cycles per minute"],
  ["count", "LED strip: number of LEDs"],
  ["refreshSeconds", "panel: seconds between two requests for a picture"],
  ["sleepSeconds", "panel: seconds of sleep"],
];

/** Rows without a name are ignored. */
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
        Names and limits are those of the device's own pages. Settings reserved for the owner are refused.
      </p>
      <Button onClick={() => onChange([...rows, EMPTY_ROW])}>Another setting</Button>
    </div>
  );
}
