// The settings that an app declares: a section of fields, each with its limits. No behaviour; settings/app-settings.ts checks and stores
// values, the pages draw the fields.

export type Value = string | number | boolean;
export type Values = Readonly<Record<string, Value>>;

interface Named {
  /** As in JSON. */
  readonly name: string;
  /** For people. */
  readonly label: string;
  readonly hint?: string;
  /** Only on the device's own page, such as which pin a part is connected to: a server may not push it. */
  readonly isOwners?: boolean;
}
/** One of a few. */
export interface ChoiceField extends Named {
  readonly type: "choice";
  /** Value and label; the same if there is only one. */
  readonly options: readonly (readonly [Value, string] | readonly [Value])[];
}
/** `slider`: drawn as one, for a number whose effect is seen at once. */
export interface NumberField extends Named {
  readonly type: "number" | "slider";
  readonly least: number;
  readonly most: number;
  /** Values are multiples of it, such as 0.1; absent: whole numbers. */
  readonly step?: number;
}
/** true or false. */
export interface SwitchField extends Named {
  readonly type: "switch";
}
/** `#rrggbb`. */
export interface ColourField extends Named {
  readonly type: "colour";
}
/** One line of at most `most` characters; `url`: http unless another scheme is named, or empty. */
export interface TextField extends Named {
  readonly type: "text" | "url";
  readonly most: number;
  /** A server of this protocol: host and port, nothing behind them. */
  readonly scheme?: "mqtt";
  /** Characters that may not be in it. */
  readonly without?: string;
}
/** One line of at most `most` characters that is never shown: a reader gets HIDDEN, or an empty text if there is none. */
export interface SecretField extends Named {
  readonly type: "secret";
  readonly most: number;
}
export type Field = ChoiceField | NumberField | SwitchField | ColourField | TextField | SecretField;

/** Shown in the place of a secret. Sent back, it leaves the secret as it is. */
export const HIDDEN = "********";

export interface Section {
  /** Key in NVS, and path: `/api/<name>`. At most 15 letters and digits. */
  readonly name: string;
  readonly title: string;
  readonly fields: readonly Field[];
  /** The build's values, in force until the owner changes them: one for each field. */
  readonly defaults: Values;
}
