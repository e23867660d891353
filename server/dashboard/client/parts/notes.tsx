// Shown instead of a list: that it is empty and what to do next, that it is loading, or an error.

import type { ComponentChildren } from "preact";

export const Empty = ({
  title,
  children,
}: {
  readonly title: string;
  readonly children?: ComponentChildren;
}) => (
  <div class="card empty">
    <p>
      <strong>{title}</strong>
    </p>
    {children && <p>{children}</p>}
  </div>
);

/** Always in the page, so that screen readers announce new text. */
export const Problem = ({ text }: { readonly text: string }) => (
  <p class="failure" role="alert">
    {text}
  </p>
);

interface LoadingProps {
  readonly data: unknown;
  readonly problem: string;
}

/** While there is nothing to show. */
export function Loading({ data, problem }: LoadingProps) {
  if (problem !== "") return <Problem text={problem} />;
  return data === undefined ? <p class="quiet">Loading…</p> : null;
}
