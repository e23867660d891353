// One page of a list, and how long the whole list is.

import type { SelectQueryBuilder, Simplify } from "kysely";
import type { Page, Paged } from "../page.js";
import { countOf } from "./count.js";

/** The page of a query that is filtered, selects and is sorted; the count is of all that the filter lets through. */
export async function pageOf<Database, Table extends keyof Database, Row, Item>(
  query: SelectQueryBuilder<Database, Table, Row>,
  page: Page,
  toItem: (row: Simplify<Row>) => Item,
): Promise<Paged<Item>> {
  const rows = await query.limit(page.limit).offset(page.offset).execute();
  const totalCount = await countOf(query.clearSelect().clearOrderBy());
  return { rows: rows.map(toItem), totalCount };
}
