// The dialog of an action that asks first, in its own words. The browser's dialog traps the keyboard focus, closes with Escape and gives
// the focus back.

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { useAction } from "../data.js";
import { Button } from "./button.js";
import { Form, Submit } from "./form.js";

export interface Question {
  readonly title: string;
  /** What will happen, in a sentence. */
  readonly what: ComponentChildren;
  /** Label of the button that does it. */
  readonly confirmName: string;
  readonly isDangerous?: boolean | undefined;
  readonly work: () => Promise<unknown>;
}

interface DialogProps extends Question {
  readonly dialog: RefObject<HTMLDialogElement>;
  /** Additional choices. */
  readonly fields?: ComponentChildren;
  readonly onClose?: () => void;
}

export function QuestionDialog({
  dialog,
  title,
  what,
  fields,
  confirmName,
  isDangerous,
  work,
  onClose,
}: DialogProps) {
  const action = useAction();
  const confirm = async () => {
    if (await action.run(work)) dialog.current?.close();
  };
  return (
    <dialog
      ref={dialog}
      aria-label={title}
      onClose={() => {
        action.forget();
        onClose?.();
      }}
    >
      <Form onEdit={action.forget} onSubmit={confirm}>
        <h2>{title}</h2>
        <p>{what}</p>
        {fields}
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
  );
}

/** For selects and checkboxes, which change nothing before their question is answered. */
export function useQuestion(): {
  readonly ask: (question: Question) => void;
  readonly dialog: ComponentChildren;
} {
  const [question, setQuestion] = useState<Question>();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (question && !dialog.current?.open) dialog.current?.showModal();
  }, [question]);
  return {
    ask: setQuestion,
    dialog: question && (
      <QuestionDialog {...question} dialog={dialog} onClose={() => setQuestion(undefined)} />
    ),
  };
}
