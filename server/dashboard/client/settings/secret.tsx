// A secret that is shown only once, with a button to copy it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { Button } from "../parts/button.js";

export function Secret({ text, children }: { readonly text: string; readonly children: ComponentChildren }) {
  const [isCopied, setIsCopied] = useState(false);
  // The clipboard is available only on pages from HTTPS or the local machine.
  const copy =
    navigator.clipboard && (() => navigator.clipboard.writeText(text).then(() => setIsCopied(true)));
  return (
    <div class="card padded secret" role="status">
      <p>{children}</p>
      <code>{text}</code>
      {copy && <Button onClick={copy}>{isCopied ? "Copied" : "Copy"}</Button>}
    </div>
  );
}
