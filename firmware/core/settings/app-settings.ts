// The settings that an app has besides Wi-Fi and updates: it declares its fields once (section.ts), the device stores, serves and checks
// them, and the pages draw them (portal/settings-panels.ts). Every value is checked, stored ones too: one that the app cannot work with
// would restart the device at every start. One JSON text under one key of NVS (see preferences.ts for why).

import { fail, type Result, succeed } from "../errors.js";
import { readAddress } from "../http/address.js";
import { parseFlat } from "../http/flat-json.js";
import { type JsonObject, writeJson } from "../json.js";
import { type Field, HIDDEN, type Section, type TextField, type Value, type Values } from "../section.js";

/** Longest JSON text that is read: it has to fit into a string of NVS. */
export const MAX_SECTION_LENGTH = 1_000;

export type SettingErrorCode = "SETTINGS_INVALID";

/** A section with the build's values as its defaults; invalid ones are left out and listed in `problems`. */
export function configured(
  section: Section,
  built: Values,
): { readonly section: Section; readonly problems: readonly string[] } {
  const { values, problems } = storedValues(section, writeJson(built));
  return { section: { ...section, defaults: values }, problems };
}

/** The values in force: the stored text over the defaults. Values that are no longer valid are left out and listed in `problems`. */
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
    const value = read.value.get(field.name);
    if (value === undefined) continue;
    const why = problemWith(field, value);
    if (why === undefined) values[field.name] = value as Value;
    else problems.push(why);
  }
  return { values, problems };
}

/** Applies a JSON object of the fields to change. Everything is checked before anything is changed. */
export function changeValues(
  section: Section,
  values: Values,
  text: string,
): Result<Values, SettingErrorCode> {
  const read = readObject(text);
  return read.ok ? applyMembers(section, values, read.value) : read;
}

/** Likewise of members that have been read. */
export function applyMembers(
  { fields }: Section,
  values: Values,
  members: JsonObject,
): Result<Values, SettingErrorCode> {
  const changed: Record<string, Value> = { ...values };
  for (const [name, value] of members) {
    const field = fields.find((one) => one.name === name);
    if (!field) return fail("SETTINGS_INVALID", `There is no setting ${short(name)}.`);
    const why = problemWith(field, value);
    if (why !== undefined) return fail("SETTINGS_INVALID", why);
    if (field.type === "secret" && value === HIDDEN) continue;
    changed[field.name] = value as Value;
  }
  return succeed(changed);
}

/** As they are shown: without secrets. */
export function shownValues({ fields }: Section, values: Values): Values {
  const secrets = fields.filter(({ type, name }) => type === "secret" && values[name] !== "");
  if (secrets.length === 0) return values;
  const shown: Record<string, Value> = { ...values };
  for (const { name } of secrets) shown[name] = HIDDEN;
  return shown;
}

/** As it is stored: the fields in the section's order, so that the same values are the same text. */
export const writeValues = ({ fields }: Section, values: Values): string =>
  writeJson(Object.fromEntries(fields.map(({ name }) => [name, values[name]])));

function readObject(text: string): Result<JsonObject, SettingErrorCode> {
  if (text.length > MAX_SECTION_LENGTH)
    return fail(
      "SETTINGS_INVALID",
      `The settings are ${text.length} characters long; ${MAX_SECTION_LENGTH} are allowed.`,
    );
  const value = parseFlat(text);
  return value
    ? succeed(value)
    : fail("SETTINGS_INVALID", "The settings are not a JSON object of texts, numbers, true and false.");
}

/** Why a value is invalid, in a sentence for a person; undefined: it is valid. */
function problemWith(field: Field, value: unknown): string | undefined {
  const wrong = (wanted: string) => `${field.label}: ${short(value)} is not ${wanted}.`;
  switch (field.type) {
    case "choice": {
      const possible = field.options.map(([one]) => one);
      return possible.some((one) => one === value) ? undefined : wrong(`one of ${possible.join(", ")}`);
    }
    case "number":
    case "slider": {
      const { least, most, step } = field;
      if (typeof value === "number" && value >= least && value <= most && isMultiple(value, step))
        return undefined;
      return step === undefined
        ? wrong(`a whole number from ${least} to ${most}`)
        : wrong(`a number from ${least} to ${most} in steps of ${step}`);
    }
    case "switch":
      return typeof value === "boolean" ? undefined : wrong("true or false");
    case "colour":
      return typeof value === "string" && /^#[0-9a-fA-F]{6}$/.test(value)
        ? undefined
        : wrong("a colour such as #ff8800");
    case "text": {
      if (!isLine(value, field.most)) return wrong(`one line of at most ${field.most} characters`);
      const { without = "" } = field;
      for (let i = 0; i < value.length; i++)
        if (without.includes(value.charAt(i))) return wrong(`a text without ${value.charAt(i)}`);
      return undefined;
    }
    case "secret":
      // what was wrong is not repeated: it may be in a log, or on somebody else's screen
      return isLine(value, field.most)
        ? undefined
        : `${field.label}: it is not one line of at most ${field.most} characters.`;
    case "url": {
      if (value === "") return undefined;
      if (field.scheme !== undefined) return problemWithServer(field, field.scheme, value);
      const read = typeof value === "string" ? readAddress(value, field.most) : undefined;
      if (!read) return wrong("an http:// or https:// address");
      return read.ok ? undefined : `${field.label}: ${read.failure.message}`;
    }
  }
}

/** `mqtt://host` or `mqtt://host:port`. */
function problemWithServer({ label, most }: TextField, scheme: string, value: unknown): string | undefined {
  const start = `${scheme}://`;
  if (typeof value !== "string" || value.length > most || !value.startsWith(start))
    return `${label}: ${short(value)} does not begin with ${start}.`;
  const read = readAddress(`http://${value.slice(start.length)}`);
  if (!read.ok) return `${label}: ${read.failure.message}`;
  return read.value.path === "/" ? undefined : `${label}: nothing follows the port of such an address.`;
}

/** A millionth of a step is rounding: 0.3 is 2.9999… steps of 0.1. */
const isMultiple = (value: number, step: number | undefined): boolean =>
  step === undefined ? Number.isInteger(value) : Math.abs(value / step - Math.round(value / step)) < 1e-6;

/** No control characters: these texts are written to logs too. */
function isLine(value: unknown, most: number): value is string {
  if (typeof value !== "string" || value.length > most) return false;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return false;
  }
  return true;
}

/** A value inside a message, shortened: a client must not fill the log. */
const short = (value: unknown): string => `${writeJson(value) ?? "nothing"}`.slice(0, 24);
