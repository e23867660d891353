// A button that asks before it does something: the browser's own dialog, which keeps the keyboard inside and closes with Escape.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useAction } from "../data.js";
import { TextField } from "./fields.js";
import { passFocusOn } from "./focus.js";
import { Problem } from "./notes.js";

interface ConfirmProps {
  readonly name: string;
  /** Of the button in the dialog, if it is another. */
  readonly confirmName?: string;
  /** Of the dialog, if it is another. */
  readonly title?: string;
  /** What will happen, in a sentence. */
  readonly children: ComponentChildren;
  /** What has to be chosen. */
  readonly fields?: ComponentChildren;
  readonly asksReason?: boolean;
  readonly isDangerous?: boolean;
  /** It is what the form is for. */
  readonly isPrimary?: boolean;
  readonly isDisabled?: boolean;
  readonly onConfirm: (reason: string) => Promise<unknown>;
}

const MAX_REASON_LENGTH = 300;

export function Confirm({
  name,
  confirmName = name,
  title = name,
  children,
  fields,
  asksReason,
  isDangerous,
  isPrimary,
  isDisabled = false,
  onConfirm,
}: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  // What was confirmed may take the button away, such as Pause from what is paused.
  useEffect(() => {
    const own = dialog.current;
    return () => passFocusOn(own);
  }, []);
  const [reason, setReason] = useState("");
  const action = useAction();
  const confirm = async (event: SubmitEvent) => {
    event.preventDefault();
    if (await action.run(() => onConfirm(reason.trim()))) dialog.current?.close();
  };
  return (
    <>
      <button
        type="button"
        class={isDangerous ? "danger" : isPrimary ? "" : "quiet"}
        disabled={isDisabled}
        onClick={() => dialog.current?.showModal()}
      >
        {name}
      </button>
      <dialog ref={dialog} aria-label={title}>
        <form onSubmit={confirm}>
          <h2>{title}</h2>
          <p>{children}</p>
          {fields}
          {asksReason && (
            <TextField
              label="Reason"
              hint="For those who ask later."
              value={reason}
              onChange={(text) => setReason(text.slice(0, MAX_REASON_LENGTH))}
            />
          )}
          <Problem text={action.problem} />
          <p class="actions">
            <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
              Leave it
            </button>
            <button type="submit" class={isDangerous ? "danger" : ""} aria-disabled={action.isBusy}>
              {confirmName}
            </button>
          </p>
        </form>
      </dialog>
    </>
  );
}
