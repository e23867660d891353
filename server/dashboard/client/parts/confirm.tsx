// A button that asks for confirmation, with the browser's dialog: it traps the keyboard focus and closes with Escape.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useAction } from "../data.js";
import { Button } from "./button.js";
import { TextField } from "./fields.js";
import { passFocusOn } from "./focus.js";
import { Form, Submit } from "./form.js";

interface ConfirmProps {
  readonly name: string;
  /** Label of the button in the dialog, if it differs. */
  readonly confirmName?: string;
  /** Title of the dialog, if it differs. */
  readonly title?: string;
  /** What will happen, in a sentence. */
  readonly children: ComponentChildren;
  /** Additional choices. */
  readonly fields?: ComponentChildren;
  readonly asksReason?: boolean;
  readonly isDangerous?: boolean;
  /** The main action. */
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
  // The confirmed action may remove the button, such as Pause on a paused rollout.
  useEffect(() => {
    const own = dialog.current;
    return () => passFocusOn(own);
  }, []);
  const [reason, setReason] = useState("");
  const action = useAction();
  const confirm = async () => {
    if (await action.run(() => onConfirm(reason.trim()))) dialog.current?.close();
  };
  return (
    <>
      <Button
        look={isDangerous ? "danger" : isPrimary ? "main" : "quiet"}
        isDisabled={isDisabled}
        onClick={() => dialog.current?.showModal()}
      >
        {name}
      </Button>
      <dialog ref={dialog} aria-label={title}>
        <Form onEdit={action.forget} onSubmit={confirm}>
          <h2>{title}</h2>
          <p>{children}</p>
          {fields}
          {asksReason && (
            <TextField
              label="Reason"
              hint="Shown with the rollout and in the logs."
              value={reason}
              onChange={(text) => setReason(text.slice(0, MAX_REASON_LENGTH))}
            />
          )}
          <Submit
            problem={action.problem}
            isBusy={action.isBusy}
            look={isDangerous ? "danger" : undefined}
            before={<Button onClick={() => dialog.current?.close()}>Close</Button>}
          >
            {confirmName}
          </Submit>
        </Form>
      </dialog>
    </>
  );
}
