// A section of the settings: its list once it is loaded, and what went wrong.

import type { ComponentChildren } from "preact";
import type { Loaded } from "../data.js";
import { Loading, Problem } from "../parts/notes.js";

interface SectionProps {
  readonly title: string;
  readonly loaded: Pick<Loaded<unknown>, "data" | "problem">;
  /** Of its actions. */
  readonly problem: string;
  /** Above the list. */
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
  /** Below the list. */
  readonly footer?: ComponentChildren;
}

export const Section = ({ title, loaded, problem, lead, children, footer }: SectionProps) => (
  <section aria-label={title}>
    <h2>{title}</h2>
    {lead}
    <Loading {...loaded} />
    {children}
    <Problem text={problem} />
    {footer}
  </section>
);
