// A device's setting as a person writes it, on a command line or in a form. Pure.

export type SettingValue = string | number | boolean;

/** Numbers, `true` and `false` are what they look like, everything else is text; in double quotes it is always text: `"7"`. */
export function readSettingValue(text: string): SettingValue {
  if (/^-?\d{1,15}(\.\d{1,15})?$/.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  const quoted = /^"(.*)"$/s.exec(text);
  return quoted?.[1] ?? text;
}
