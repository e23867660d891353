// Pairs of a name and a value.

import type { ComponentChildren } from "preact";

interface TermsProps {
  /** Those without a value are left out. */
  readonly facts: readonly (readonly [name: string, value: ComponentChildren])[];
  readonly class: string;
  /** Of the values. */
  readonly valueClass?: string;
}

export const Terms = ({ facts, class: name, valueClass }: TermsProps) => (
  <dl class={name}>
    {facts.map(
      ([term, value]) =>
        value !== undefined &&
        value !== null && (
          <div key={term}>
            <dt>{term}</dt>
            <dd class={valueClass}>{value}</dd>
          </div>
        ),
    )}
  </dl>
);
