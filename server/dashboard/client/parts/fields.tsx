// Fields of forms: a name above, a hint below, one look.

import type { ComponentChildren } from "preact";

interface FieldProps {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly problem?: string | undefined;
  readonly children: ComponentChildren;
}

/** The label is around its one field. */
export const Field = ({ label, hint, problem, children }: FieldProps) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the field is among the children
  <label class="field">
    <span class="label">{label}</span>
    {children}
    {problem ? <span class="failure">{problem}</span> : hint && <span class="hint">{hint}</span>}
  </label>
);

/** Several boxes to tick under one name. */
export const FieldGroup = ({ label, problem, children }: FieldProps) => (
  <fieldset class="field group">
    <legend class="label">{label}</legend>
    <span class="checks">{children}</span>
    {problem && <span class="failure">{problem}</span>}
  </fieldset>
);

interface TextProps extends Omit<FieldProps, "children"> {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string | undefined;
  readonly type?: "text" | "number" | "datetime-local" | "time" | "search";
  readonly list?: string;
}

export const TextField = ({ value, onChange, placeholder, type = "text", list, ...field }: TextProps) => (
  <Field {...field}>
    <input
      type={type}
      value={value}
      placeholder={placeholder}
      list={list}
      step={type === "number" ? "any" : undefined}
      aria-invalid={field.problem ? "true" : undefined}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  </Field>
);

interface ChoiceProps extends Omit<FieldProps, "children"> {
  readonly value: string;
  readonly choices: readonly (readonly [value: string, name: string])[];
  readonly onChange: (value: string) => void;
}

export const ChoiceField = ({ value, choices, onChange, ...field }: ChoiceProps) => (
  <Field {...field}>
    <select value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {choices.map(([each, name]) => (
        <option key={each} value={each}>
          {name}
        </option>
      ))}
    </select>
  </Field>
);

interface CheckProps {
  readonly label: ComponentChildren;
  readonly isOn: boolean;
  readonly onChange: (isOn: boolean) => void;
  readonly isDisabled?: boolean;
}

export const Check = ({ label, isOn, onChange, isDisabled = false }: CheckProps) => (
  <label class="check">
    <input
      type="checkbox"
      checked={isOn}
      disabled={isDisabled}
      onChange={(event) => onChange(event.currentTarget.checked)}
    />
    <span>{label}</span>
  </label>
);
