// The settings that an app has besides Wi-Fi and updates: it describes its fields once, and the device stores, serves and checks
// them, and the pages draw them (portal/settings-panels.ts). Reads anything, trusts nothing: a value that the app cannot work with would
// restart the device at every start. One JSON text under one key of NVS (see preferences.ts for why).

import { fail, type Result, succeed } from "../errors.js";
import { parseFlat } from "../http/flat-json.js";
import { writeJson } from "../json.js";
import type { Field, Section, Value, Values } from "../section.js";

/** A text longer than this is none of ours: it has to fit into a string of NVS. */
const MAX_TEXT_LENGTH = 1_000;

export type SettingErrorCode = "SETTINGS_INVALID";

/** A section whose defaults are what its build is configured with, as far as that can be. */
export function configured(
  section: Section,
  built: Values,
): { readonly section: Section; readonly problems: readonly string[] } {
  const { values, problems } = storedValues(section, writeJson(built));
  return { section: { ...section, defaults: values }, problems };
}

/** What is in force: the stored text over the defaults. What cannot be any more is left out, and told. */
export function storedValues(
  { fields, defaults }: Section,
  text: string | undefined,
): { readonly values: Values; readonly problems: readonly string[] } {
  if (text === undefined) return { values: defaults, problems: [] };
  const read = readObject(text);
  if (!read.ok) return { values: defaults, problems: [read.failure.message] };
  const values: Record<string, Value> = { ...defaults };
  const problems: string[] = [];
  for (const field of fields) {
    const value = Object.hasOwn(read.value, field.name) ? read.value[field.name] : undefined;
    if (value === undefined) continue;
    const why = whyNot(field, value);
    if (why === undefined) values[field.name] = value as Value;
    else problems.push(why);
  }
  return { values, problems };
}

/** A JSON object with the fields to change. Everything is checked before anything is changed. */
export function changeValues(
  { fields }: Section,
  values: Values,
  text: string,
): Result<Values, SettingErrorCode> {
  const read = readObject(text);
  if (!read.ok) return read;
  const changed: Record<string, Value> = { ...values };
  for (const [name, value] of Object.entries(read.value)) {
    const field = fields.find((one) => one.name === name);
    if (!field) return fail("SETTINGS_INVALID", `There is no setting ${short(name)}.`);
    const why = whyNot(field, value);
    if (why !== undefined) return fail("SETTINGS_INVALID", why);
    changed[name] = value as Value;
  }
  return succeed(changed);
}

/** As it is stored: the fields in the section's order, so that the same values are the same text. */
export const writeValues = ({ fields }: Section, values: Values): string =>
  writeJson(Object.fromEntries(fields.map(({ name }) => [name, values[name]])));

function readObject(text: string): Result<Readonly<Record<string, unknown>>, SettingErrorCode> {
  if (text.length > MAX_TEXT_LENGTH)
    return fail(
      "SETTINGS_INVALID",
      `The settings are ${text.length} characters long; ${MAX_TEXT_LENGTH} are allowed.`,
    );
  const value = parseFlat(text);
  return value
    ? succeed(value)
    : fail("SETTINGS_INVALID", "The settings are not a JSON object of texts and numbers.");
}

/** Why a value cannot be, in a sentence for a person. */
function whyNot(field: Field, value: unknown): string | undefined {
  const wrong = (wanted: string) => `${field.label}: ${short(value)} is not ${wanted}.`;
  switch (field.type) {
    case "choice": {
      const possible = field.options.map(([one]) => one);
      return possible.some((one) => one === value) ? undefined : wrong(`one of ${possible.join(", ")}`);
    }
    case "number":
    case "slider": {
      const { least, most } = field;
      const fits = typeof value === "number" && Number.isInteger(value) && value >= least && value <= most;
      return fits ? undefined : wrong(`a whole number from ${least} to ${most}`);
    }
    case "colour":
      return typeof value === "string" && /^#[0-9a-fA-F]{6}$/.test(value)
        ? undefined
        : wrong("a colour such as #ff8800");
    case "text":
      return isLine(value, field.most) ? undefined : wrong(`one line of at most ${field.most} characters`);
    case "url":
      return isLine(value, field.most) && (value === "" || /^https?:\/\/[^\s/]+(\/\S*)?$/.test(value))
        ? undefined
        : wrong(`an http:// or https:// address of at most ${field.most} characters`);
  }
}

/** No control characters: what people type stands in logs too. */
function isLine(value: unknown, most: number): value is string {
  if (typeof value !== "string" || value.length > most) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

/** A value inside a message: what somebody sent must not fill the log. */
const short = (value: unknown): string => `${writeJson(value) ?? "nothing"}`.slice(0, 24);
