// Settings as fields, by what devices say of them: name, kind, limits and, of one device, the present value. What is left as it is, is not sent.

import type { Field } from "../../../../firmware/core/section.js";
import { applyMembers } from "../../../../firmware/core/settings/app-settings.js";
import type { SettingValue } from "../../../shared/setting-values.js";
import { ChoiceField, TextField } from "../parts/fields.js";

/** What was typed, by the name of the setting. */
export type Drafts = Readonly<Record<string, string>>;

export interface OfferedField {
  readonly field: Field;
  /** Absent: the devices have different ones. */
  readonly value?: SettingValue | undefined;
  /** Such as how many devices have it. */
  readonly note?: string | undefined;
}

interface FieldsProps {
  readonly offered: readonly OfferedField[];
  readonly drafts: Drafts;
  readonly onChange: (drafts: Drafts) => void;
}

export const SettingFields = ({ offered, drafts, onChange }: FieldsProps) => (
  <div class="fields">
    {offered.map((one) => (
      <SettingField
        key={one.field.name}
        {...one}
        draft={drafts[one.field.name]}
        onChange={(text) => onChange({ ...drafts, [one.field.name]: text })}
      />
    ))}
  </div>
);

interface FieldProps extends OfferedField {
  readonly draft: string | undefined;
  readonly onChange: (text: string) => void;
}

function SettingField({ field, value, note, draft, onChange }: FieldProps) {
  const text = draft ?? (value === undefined ? "" : `${value}`);
  const words = {
    label: field.label,
    hint: [field.hint, limitsOf(field), note].filter(Boolean).join(". "),
    problem: problemOf(field, value, draft),
    value: text,
    onChange,
  };
  const choices = choicesOf(field);
  if (choices) {
    const unchanged = value === undefined ? [["", "Unchanged"] as const] : [];
    return <ChoiceField {...words} choices={[...unchanged, ...choices]} />;
  }
  const placeholder = value === undefined ? "Unchanged" : "";
  switch (field.type) {
    case "number":
    case "slider":
      return (
        <TextField
          {...words}
          type="number"
          min={field.least}
          max={field.most}
          step={field.step ?? 1}
          placeholder={placeholder}
        />
      );
    case "colour":
      return value === undefined ? (
        <TextField {...words} placeholder="#rrggbb" maxLength={7} />
      ) : (
        <TextField {...words} type="color" />
      );
    default:
      return (
        <TextField
          {...words}
          placeholder={placeholder}
          maxLength={"most" in field ? field.most : undefined}
        />
      );
  }
}

function choicesOf(field: Field): readonly (readonly [text: string, name: string])[] | undefined {
  if (field.type === "switch")
    return [
      ["true", "On"],
      ["false", "Off"],
    ];
  if (field.type !== "choice") return undefined;
  return field.options.map(([value, name]) => [`${value}`, name ?? `${value}`] as const);
}

function limitsOf(field: Field): string | undefined {
  if (field.type !== "number" && field.type !== "slider") return undefined;
  return `${field.least} to ${field.most.toLocaleString("en")}`;
}

/** A text as the field's value; `undefined`: it is left as it is. */
function changeIn(field: Field, value: SettingValue | undefined, draft: string | undefined) {
  if (draft === undefined || draft === `${value ?? ""}`) return undefined;
  switch (field.type) {
    case "choice":
      return field.options.find(([one]) => `${one}` === draft)?.[0];
    case "switch":
      return draft === "true";
    case "number":
    case "slider":
      return draft.trim() === "" ? undefined : Number(draft);
    default:
      return draft;
  }
}

function problemOf(field: Field, value: SettingValue | undefined, draft: string | undefined) {
  const changed = changeIn(field, value, draft);
  if (changed === undefined) return undefined;
  const section = { name: "", title: "", fields: [field], defaults: {} };
  const result = applyMembers(section, {}, new Map([[field.name, changed]]));
  return result.ok ? undefined : result.failure.message;
}

/** What is to be sent; `undefined`: something is not valid. */
export function changedSettings(
  offered: readonly OfferedField[],
  drafts: Drafts,
): Readonly<Record<string, SettingValue>> | undefined {
  const changes: Record<string, SettingValue> = {};
  for (const { field, value } of offered) {
    const draft = drafts[field.name];
    const changed = changeIn(field, value, draft);
    if (problemOf(field, value, draft) !== undefined) return undefined;
    if (changed !== undefined) changes[field.name] = changed;
  }
  return changes;
}
