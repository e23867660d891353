// Buttons to page through a list.

import { type PageOfList, pageOf } from "./pages-of-list.js";

interface PagerProps {
  readonly list: PageOfList;
  readonly onMove: (offset: number) => void;
}

export function Pager({ list, onMove }: PagerProps) {
  const { first, last, previous, next, end } = pageOf(list);
  if (list.total === 0) return null;
  const step = (name: string, offset: number | undefined) => (
    <button
      type="button"
      class="quiet"
      aria-disabled={offset === undefined}
      onClick={() => offset !== undefined && onMove(offset)}
    >
      {name}
    </button>
  );
  return (
    <nav class="pager" aria-label="Pages of the list">
      {step("First", list.offset > 0 ? 0 : undefined)}
      {step("Back", previous)}
      <span role="status">
        {first.toLocaleString("en")}–{last.toLocaleString("en")} of {list.total.toLocaleString("en")}
      </span>
      {step("Next", next)}
      {step("Last", list.offset === end ? undefined : end)}
    </nav>
  );
}
