// A button that is not the main action of its form, unless `look` says otherwise.

import type { ComponentChildren } from "preact";

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly onClick: () => unknown;
  /** `main`: filled. `link`: inside a sentence. */
  readonly look?: "main" | "quiet" | "danger" | "link";
  /** Its action runs, or there is none now: unlike a disabled button, it keeps the keyboard focus. */
  readonly isBusy?: boolean;
  readonly isDisabled?: boolean;
  /** For screen readers, if the text alone says too little. */
  readonly label?: string;
  /** For one that shows and hides something. */
  readonly isExpanded?: boolean;
  /** For one of several tools. */
  readonly isPressed?: boolean | undefined;
}

export const Button = ({ look = "quiet", isBusy, isDisabled = false, label, ...props }: ButtonProps) => (
  <button
    type="button"
    class={look === "main" ? "" : look}
    disabled={isDisabled}
    aria-disabled={isBusy}
    aria-label={label}
    aria-expanded={props.isExpanded}
    aria-pressed={props.isPressed}
    onClick={() => props.onClick()}
  >
    {props.children}
  </button>
);
