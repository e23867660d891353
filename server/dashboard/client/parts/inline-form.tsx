// A short form below a list that adds to it: fields in a row and a button.

import type { ComponentChildren } from "preact";

interface InlineFormProps {
  /** For screen readers. */
  readonly label: string;
  readonly button: string;
  readonly isDisabled: boolean;
  readonly isQuiet?: boolean;
  readonly children: ComponentChildren;
  readonly onSubmit: () => unknown;
}

export const InlineForm = ({ label, button, isDisabled, isQuiet, children, onSubmit }: InlineFormProps) => (
  <form
    class="inline"
    aria-label={label}
    onSubmit={(event) => {
      event.preventDefault();
      onSubmit();
    }}
  >
    {children}
    <button type="submit" class={isQuiet ? "quiet" : ""} disabled={isDisabled}>
      {button}
    </button>
  </form>
);
