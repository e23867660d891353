// The settings that an app declares: a section of fields, each with its limits. Types only; settings/app-settings.ts checks and stores
// values, the pages draw the fields.

export type Value = string | number;
export type Values = Readonly<Record<string, Value>>;

interface Named {
  /** As it stands in JSON. */
  readonly name: string;
  /** For people. */
  readonly label: string;
  readonly hint?: string;
  /** For who is at the device only, such as what hangs on which pin: a server may not push it. */
  readonly isOwners?: boolean;
}
/** One of a few. */
export interface ChoiceField extends Named {
  readonly type: "choice";
  /** Value and what people read; the same if there is one only. */
  readonly options: readonly (readonly [Value, string] | readonly [Value])[];
}
/** A whole number; `slider`: what counts is how it looks, not the number. */
export interface NumberField extends Named {
  readonly type: "number" | "slider";
  readonly least: number;
  readonly most: number;
}
/** `#rrggbb`. */
export interface ColourField extends Named {
  readonly type: "colour";
}
/** One line of at most so many characters; `url`: http or https, or empty. */
export interface TextField extends Named {
  readonly type: "text" | "url";
  readonly most: number;
}
export type Field = ChoiceField | NumberField | ColourField | TextField;

export interface Section {
  /** Key in NVS, and path: `/api/<name>`. At most 15 letters and digits. */
  readonly name: string;
  readonly title: string;
  readonly fields: readonly Field[];
  /** What the build says, as long as the owner has chosen nothing: a value for each field. */
  readonly defaults: Values;
}
