// Shown instead of a list: that it is empty and what to do next, that it is loading, or an error.

import type { ComponentChildren } from "preact";

interface EmptyProps {
  readonly title: string;
  readonly children?: ComponentChildren;
}

export const Empty = ({ title, children }: EmptyProps) => (
  <div class="card empty">
    <p>
      <strong>{title}</strong>
    </p>
    {children && <p>{children}</p>}
  </div>
);

/** For a new server. */
export const NoDevices = () => (
  <Empty title="No device has checked for updates yet">
    Devices appear here with their first check. Their setup portal asks for this server's address.
  </Empty>
);

/** Always in the page, so that screen readers announce new text. */
export const Problem = ({ text }: { readonly text: string }) => (
  <p class="failure" role="alert">
    {text}
  </p>
);

/** What else a person should know. */
export const Notes = ({ notes }: { readonly notes: readonly string[] }) =>
  notes.map((note) => (
    <p key={note} class="note">
      {note}
    </p>
  ));

/** The outcome of an action that leaves its form in place; announced, too. */
export const Done = ({ children }: { readonly children: ComponentChildren }) => (
  <p class="success-note" role="status">
    {children}
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
