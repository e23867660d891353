// Form fields: label above, hint below.

import type { ComponentChildren, JSX } from "preact";
import { useEffect, useId, useState } from "preact/hooks";

/** Ids that link a field to its label, hint and problem. */
interface FieldIds {
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
    "aria-describedby": `${id}-hint`,
    ...(problem ? ({ "aria-invalid": "true" } as const) : {}),
  };
  return (
    <div class="field">
      <label class="label" for={id}>
        {label}
      </label>
      {children(ids)}
      <span id={`${id}-hint`} class={problem ? "failure" : "hint"}>
        {problem || hint}
      </span>
    </div>
  );
}

/** Without `onChange`, the form is read when it is sent. */
interface TextProps extends Words, Omit<JSX.InputHTMLAttributes, "label" | "onChange"> {
  readonly onChange?: (value: string) => void;
}

export const TextField = ({ label, hint, problem, onChange, ...input }: TextProps) => (
  <Field {...{ label, hint, problem }}>
    {(ids) => (
      <input type="text" {...input} {...ids} onInput={(event) => onChange?.(event.currentTarget.value)} />
    )}
  </Field>
);

const TYPING_MS = 300;

interface FilterProps extends Words {
  readonly value: string;
  readonly placeholder: string | undefined;
  readonly type?: "text" | "search";
  readonly onChange: (value: string) => void;
}

/** Waits until typing has paused. */
export function FilterField({ value, onChange, ...field }: FilterProps) {
  const [text, setText] = useState(value);
  useEffect(() => {
    if (text.trim() === value) return;
    const timer = setTimeout(() => onChange(text.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return <TextField {...field} value={text} onChange={setText} />;
}

/** Values and their names, or values that are their own names. */
export type Choices<Value extends string> = readonly (Value | readonly [value: Value, name: string])[];

interface SelectProps<Value extends string> extends Omit<JSX.SelectHTMLAttributes, "label" | "onChange"> {
  readonly value: Value;
  readonly choices: Choices<Value>;
  readonly onChange: (value: Value) => void;
}

/** Without a label of its own, such as in a table. */
export const Select = <Value extends string>({ choices, onChange, ...select }: SelectProps<Value>) => (
  <select {...select} onChange={(event) => onChange(event.currentTarget.value as Value)}>
    {choices.map((choice) => {
      const [value, name] = typeof choice === "string" ? [choice, choice] : choice;
      return (
        <option key={value} value={value}>
          {name}
        </option>
      );
    })}
  </select>
);

export const ChoiceField = <Value extends string>({
  label,
  hint,
  problem,
  ...select
}: Words & SelectProps<Value>) => (
  <Field {...{ label, hint, problem }}>{(ids) => <Select {...select} {...ids} />}</Field>
);

interface SuggestionsProps {
  readonly id: string;
  readonly words: readonly string[] | undefined;
}

/** Suggestions for fields whose `list` is its id. */
export const Suggestions = ({ id, words }: SuggestionsProps) => (
  <datalist id={id}>
    {words?.map((word) => (
      <option key={word} value={word} />
    ))}
  </datalist>
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

interface ChecksProps<Value> {
  readonly choices: readonly (readonly [value: Value, name: string])[];
  readonly chosen: readonly Value[];
  readonly onChange: (chosen: readonly Value[]) => void;
}

/** Checkboxes of which any number is chosen. */
export const Checks = <Value extends string | number>({ choices, chosen, onChange }: ChecksProps<Value>) => (
  <span class="checks">
    {choices.map(([value, name]) => (
      <Check
        key={value}
        label={name}
        isOn={chosen.includes(value)}
        onChange={(isOn) => onChange(isOn ? [...chosen, value] : chosen.filter((one) => one !== value))}
      />
    ))}
  </span>
);

/** The same under one label. */
export const CheckGroup = <Value extends string | number>({
  label,
  problem,
  ...checks
}: Words & ChecksProps<Value>) => (
  <fieldset class="field group">
    <legend class="label">{label}</legend>
    <Checks {...checks} />
    {problem && <span class="failure">{problem}</span>}
  </fieldset>
);
