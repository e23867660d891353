// A device's setting as a person writes it, on a command line or in a form. Pure.

export type SettingValue = string | number;

/** Whole numbers are numbers, all else is text; in double quotes it is text whatever it looks like: `"7"`. */
export function readSettingValue(text: string): SettingValue {
  if (/^-?\d{1,15}$/.test(text)) return Number(text);
  const quoted = /^"(.*)"$/s.exec(text);
  return quoted?.[1] ?? text;
}
