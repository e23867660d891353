// Buttons to page through a list. The offset is in the URL.

import { go, type Place, withQuery } from "../router.js";
import { Button } from "./button.js";
import { pageOf } from "./pages-of-list.js";

interface PagerProps {
  readonly place: Place;
  /** Name of the offset in the URL. */
  readonly name?: string;
  readonly offset: number;
  readonly limit: number;
  /** `undefined`: not loaded yet. */
  readonly total: number | undefined;
  /** Before another page is shown. */
  readonly onMove?: () => void;
}

export function Pager({ place, name = "offset", offset, limit, total = 0, onMove }: PagerProps) {
  const { first, last, previous, next, end } = pageOf({ offset, limit, total });
  if (total === 0) return null;
  const step = (text: string, to: number | undefined) => {
    const move = () => {
      if (to === undefined) return;
      onMove?.();
      go(withQuery(place, { [name]: to ? `${to}` : "" }));
    };
    return (
      <Button isBusy={to === undefined} onClick={move}>
        {text}
      </Button>
    );
  };
  return (
    <nav class="pager" aria-label="Pages of the list">
      {step("First", offset > 0 ? 0 : undefined)}
      {step("Back", previous)}
      <span role="status">
        {first.toLocaleString("en")}–{last.toLocaleString("en")} of {total.toLocaleString("en")}
      </span>
      {step("Next", next)}
      {step("Last", offset === end ? undefined : end)}
    </nav>
  );
}
