// A secret that is shown only once, with a button to copy it.

import type { ComponentChildren } from "preact";
import { CopyButton } from "../parts/copy.js";

export const Secret = ({
  text,
  children,
}: {
  readonly text: string;
  readonly children: ComponentChildren;
}) => (
  <div class="card padded secret" role="status">
    <p>{children}</p>
    <code>{text}</code>
    <CopyButton text={text} />
  </div>
);
