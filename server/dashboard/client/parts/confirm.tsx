// A button that asks for confirmation.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Button } from "./button.js";
import { TextField } from "./fields.js";
import { passFocusOn } from "./focus.js";
import { QuestionDialog } from "./question.js";

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
  return (
    <>
      <Button
        look={isDangerous ? "danger" : isPrimary ? "main" : "quiet"}
        isDisabled={isDisabled}
        onClick={() => dialog.current?.showModal()}
      >
        {name}
      </Button>
      <QuestionDialog
        {...{ dialog, title, confirmName, isDangerous }}
        what={children}
        fields={
          <>
            {fields}
            {asksReason && (
              <TextField
                label="Reason"
                hint="Shown with the rollout and in the logs."
                value={reason}
                onChange={(text) => setReason(text.slice(0, MAX_REASON_LENGTH))}
              />
            )}
          </>
        }
        work={() => onConfirm(reason.trim())}
      />
    </>
  );
}
