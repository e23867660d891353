// Forms that are sent by script, and the state of their fields.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Problem } from "./notes.js";

interface FormProps {
  /** For screen readers. */
  readonly label?: string;
  readonly class?: string;
  readonly children: ComponentChildren;
  readonly onSubmit: (form: HTMLFormElement) => unknown;
  /** A field has been changed, so that what was wrong may be right now. */
  readonly onEdit?: () => unknown;
}

export const Form = ({ label, class: name, children, onSubmit, onEdit }: FormProps) => (
  <form
    class={name}
    aria-label={label}
    onInput={onEdit}
    onSubmit={(event) => {
      event.preventDefault();
      onSubmit(event.currentTarget);
    }}
  >
    {children}
  </form>
);

interface InlineFormProps extends FormProps {
  readonly button: string;
  readonly isDisabled: boolean;
  readonly isQuiet?: boolean;
}

/** A short form below a list that adds to it: fields in a row and a button. */
export const InlineForm = ({ button, isDisabled, isQuiet, children, ...form }: InlineFormProps) => (
  <Form class="inline" {...form}>
    {children}
    <button type="submit" class={isQuiet ? "quiet" : ""} disabled={isDisabled}>
      {button}
    </button>
  </Form>
);

interface SubmitProps {
  /** Why the form was not accepted. */
  readonly problem: string;
  readonly isDisabled?: boolean;
  /** Unlike a disabled button, it keeps the keyboard focus. */
  readonly isBusy?: boolean;
  readonly look?: "quiet" | "danger" | undefined;
  readonly children: ComponentChildren;
  /** Before it, such as a button that closes the form. */
  readonly before?: ComponentChildren;
}

/** The end of a form: its problem and its button. */
export const Submit = ({ problem, isDisabled, isBusy, look, children, before }: SubmitProps) => (
  <>
    <Problem text={problem} />
    <p class="actions">
      {before}
      <button type="submit" class={look} disabled={isDisabled} aria-disabled={isBusy}>
        {children}
      </button>
    </p>
  </>
);

/** The values of a form's fields, and what each text field needs. */
export function useFields<Values extends object>(initial: Values) {
  const [values, setValues] = useState(initial);
  const change = (changes: Partial<Values>) => setValues((before) => ({ ...before, ...changes }));
  const field = <Name extends keyof Values>(name: Name) => ({
    value: values[name],
    onChange: (value: Values[Name]) => change({ [name]: value } as unknown as Partial<Values>),
  });
  return { values, field, change, reset: () => setValues(initial) };
}
