// A slider from -100 to 100; a double click resets it.

import { Field } from "../parts/fields.js";

interface SliderProps {
  readonly label: string;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

export const Slider = ({ label, value, onChange }: SliderProps) => (
  <Field label={`${label} ${value > 0 ? "+" : ""}${value}`}>
    {(ids) => (
      <input
        {...ids}
        type="range"
        min={-100}
        max={100}
        value={value}
        aria-label={label}
        onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
        onDblClick={() => onChange(0)}
      />
    )}
  </Field>
);
