// The differences of a record before and after a change. Pure.

export interface FieldChange {
  readonly name: string;
  /** As text; `undefined`: absent. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Differs in every change, and the entry has a time already. */
const TIME_OF_CHANGE = "updated_at";

/** Equal fields are omitted. A value that is not a record counts as one without fields. */
export function changesOf(before: unknown, after: unknown): readonly FieldChange[] {
  const was = fieldsOf(before);
  const is = fieldsOf(after);
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])];
  return names
    .map((name) => ({ name, before: textOf(was[name]), after: textOf(is[name]) }))
    .filter(({ name, before, after }) => name !== TIME_OF_CHANGE && before !== after);
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

const textOf = (value: unknown): string | undefined =>
  value === undefined || value === null
    ? undefined
    : typeof value === "string"
      ? value
      : JSON.stringify(value);
