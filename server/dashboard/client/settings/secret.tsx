// Something that is shown once: it can be copied, and is nowhere else.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

export function Secret({ text, children }: { readonly text: string; readonly children: ComponentChildren }) {
  const [isCopied, setIsCopied] = useState(false);
  // Only pages that came over HTTPS or from this machine have a clipboard.
  const copy =
    navigator.clipboard && (() => navigator.clipboard.writeText(text).then(() => setIsCopied(true)));
  return (
    <div class="card padded secret" role="status">
      <p>{children}</p>
      <code>{text}</code>
      {copy && (
        <button type="button" class="quiet" onClick={copy}>
          {isCopied ? "Copied" : "Copy"}
        </button>
      )}
    </div>
  );
}
