// Form fields: label above, hint below.

import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";

/** Ids that link a field to its label, hint and problem. */
export interface FieldIds {
  readonly id: string;
  readonly "aria-describedby": string;
  readonly "aria-invalid"?: "true";
}

interface Words {
  readonly label: string;
  readonly hint?: ComponentChildren;
  readonly problem?: string | undefined;
}
interface FieldProps extends Words {
  readonly children: (ids: FieldIds) => ComponentChildren;
}

export function Field({ label, hint, problem, children }: FieldProps) {
  const id = useId();
  const ids = {
    id,
    "aria-describedby": `${id}-said`,
    ...(problem ? ({ "aria-invalid": "true" } as const) : {}),
  };
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
      </label>
      {children(ids)}
      <span id={`${id}-said`} class={problem ? "failure" : "hint"}>
        {problem || hint}
      </span>
    </div>
  );
}

interface GroupProps extends Words {
  readonly children: ComponentChildren;
}

/** Several checkboxes under one label. */
export const FieldGroup = ({ label, problem, children }: GroupProps) => (
  <fieldset class="field group">
    <legend class="label">{label}</legend>
    <span class="checks">{children}</span>
    {problem && <span class="failure">{problem}</span>}
  </fieldset>
);

interface TextProps extends Words {
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly placeholder?: string | undefined;
  readonly type?: "text" | "number" | "datetime-local" | "time" | "search";
  readonly list?: string;
  readonly isDisabled?: boolean | undefined;
  readonly isRequired?: boolean;
  readonly maxLength?: number;
}

export const TextField = ({
  value,
  onChange,
  placeholder,
  type = "text",
  list,
  isDisabled = false,
  isRequired = false,
  maxLength,
  ...field
}: TextProps) => (
  <Field {...field}>
    {(ids) => (
      <input
        {...ids}
        type={type}
        value={value}
        placeholder={placeholder}
        list={list}
        disabled={isDisabled}
        required={isRequired}
        maxLength={maxLength}
        step={type === "number" ? "any" : undefined}
        onInput={(event) => onChange(event.currentTarget.value)}
      />
    )}
  </Field>
);

interface ChoiceProps<Value extends string> extends Words {
  readonly value: Value;
  readonly choices: readonly (readonly [value: Value, name: string])[];
  readonly onChange: (value: Value) => void;
  readonly isDisabled?: boolean;
}

export const ChoiceField = <Value extends string>({
  value,
  choices,
  onChange,
  isDisabled = false,
  ...field
}: ChoiceProps<Value>) => (
  <Field {...field}>
    {(ids) => (
      <select
        {...ids}
        value={value}
        disabled={isDisabled}
        onChange={(event) => onChange(event.currentTarget.value as Value)}
      >
        {choices.map(([each, name]) => (
          <option key={each} value={each}>
            {name}
          </option>
        ))}
      </select>
    )}
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
