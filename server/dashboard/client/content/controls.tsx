// The fields that these pages are made of.

import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly children: ComponentChildren;
}

/** The label is around its one field. */
export const Field = ({ label, hint, children }: FieldProps) => (
  <div class="field">
    {/* biome-ignore lint/a11y/noLabelWithoutControl: the field is among the children */}
    <label>
      <span class="label">{label}</span>
      {children}
    </label>
    {hint && <span class="hint">{hint}</span>}
  </div>
);

interface SelectProps<Value extends string> {
  readonly label: string;
  readonly hint?: string;
  readonly value: Value;
  readonly choices: readonly (readonly [value: Value, name: string])[];
  readonly onChange: (value: Value) => void;
}

export const Select = <Value extends string>({ value, choices, onChange, ...field }: SelectProps<Value>) => (
  <Field {...field}>
    <select value={value} onChange={(event) => onChange(event.currentTarget.value as Value)}>
      {choices.map(([each, name]) => (
        <option key={each} value={each}>
          {name}
        </option>
      ))}
    </select>
  </Field>
);

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

/** -100 to 100; a double click sets it back. */
export const Slider = ({ label, value, onChange }: SliderProps) => (
  <Field label={`${label} ${value > 0 ? "+" : ""}${value}`}>
    <input
      type="range"
      min={-100}
      max={100}
      value={value}
      aria-label={label}
      onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
      onDblClick={() => onChange(0)}
    />
  </Field>
);

/** Always in the page, so that a screen reader hears it when it comes. */
export const Problem = ({ text }: { readonly text: string }) => (
  <p class="failure" role="alert">
    {text}
  </p>
);

export interface Work {
  readonly isBusy: boolean;
  readonly problem: string;
  /** Unless something is running; what it throws becomes the problem. */
  run(work: () => Promise<unknown>): Promise<void>;
}

export function useWork(): Work {
  const [state, setState] = useState({ isBusy: false, problem: "" });
  const isBusy = useRef(false);
  const run = async (work: () => Promise<unknown>) => {
    if (isBusy.current) return;
    isBusy.current = true;
    setState({ isBusy: true, problem: "" });
    const problem = await work().then(
      () => "",
      (error: Error) => sentence(error.message),
    );
    isBusy.current = false;
    setState({ isBusy: false, problem });
  };
  return { ...state, run };
}

/** With a capital and a full stop. */
export function sentence(text: string): string {
  const capital = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
