// The visible part of a long list. Pure.

export interface PageOfList {
  readonly offset: number;
  readonly limit: number;
  readonly total: number;
}

export interface PageBounds {
  /** Counted from 1; 0 for an empty list. */
  readonly first: number;
  readonly last: number;
  /** Offsets of the adjacent pages; `undefined`: none. */
  readonly previous: number | undefined;
  readonly next: number | undefined;
  /** Offset of the last page. */
  readonly end: number;
}

/** The list may have become shorter than the offset. */
export function pageOf({ offset, limit, total }: PageOfList): PageBounds {
  const end = Math.max(0, Math.floor((total - 1) / limit) * limit);
  return {
    first: Math.min(offset + 1, total),
    last: Math.min(offset + limit, total),
    previous: offset > 0 ? Math.max(0, Math.min(offset - limit, end)) : undefined,
    next: offset + limit < total ? offset + limit : undefined,
    end,
  };
}

/** The value in a URL may be anything. */
export function readOffset(text: string | null): number {
  const offset = Number(text ?? 0);
  return Number.isSafeInteger(offset) && offset > 0 ? Math.min(offset, 1_000_000_000) : 0;
}
