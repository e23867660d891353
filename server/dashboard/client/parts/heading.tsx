// The beginning of a page: the way up, its title, and what belongs beside it.

import type { ComponentChildren } from "preact";
import { Link } from "../router.js";

interface HeadingProps {
  readonly title: ComponentChildren;
  /** The page above it. */
  readonly up?: readonly [path: string, name: string];
  readonly class?: string;
  /** Beside the title. */
  readonly children?: ComponentChildren;
}

export const Heading = ({ title, up, class: name, children }: HeadingProps) => (
  <>
    {up && (
      <p class="trail">
        <Link to={up[0]}>{up[1]}</Link>
      </p>
    )}
    {children !== undefined ? (
      <div class="heading">
        <h1 class={name}>{title}</h1>
        {children}
      </div>
    ) : (
      <h1 class={name}>{title}</h1>
    )}
  </>
);
