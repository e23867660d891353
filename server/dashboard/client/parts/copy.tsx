// A text to be copied, such as a command or a secret.

import { useEffect, useState } from "preact/hooks";
import { Button } from "./button.js";

interface CopyProps {
  readonly text: string;
  /** Of the button, for screen readers, where there are several. */
  readonly label?: string;
}

/** Nothing where the browser has no clipboard, which is on pages that are neither from HTTPS nor from this machine. */
export function CopyButton({ text, label }: CopyProps) {
  const [isCopied, setIsCopied] = useState(false);
  useEffect(() => setIsCopied(false), [text]);
  if (!navigator.clipboard) return null;
  const copy = () => navigator.clipboard.writeText(text).then(() => setIsCopied(true));
  return (
    <Button onClick={copy} {...(label === undefined ? {} : { label })}>
      {isCopied ? "Copied" : "Copy"}
    </Button>
  );
}

export const Command = ({ text, label }: CopyProps) => (
  <div class="command">
    <code>{text}</code>
    <CopyButton text={text} {...(label === undefined ? {} : { label })} />
  </div>
);
