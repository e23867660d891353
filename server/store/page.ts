// A piece of a long list.

export interface Page {
  readonly limit: number;
  readonly offset: number;
}
export interface Paged<Row> {
  readonly rows: readonly Row[];
  /** Rows that fit the filter, on all pages. */
  readonly totalCount: number;
}
