// How many rows a query stands for.

import { sql } from "kysely";

/** Rows that a filtered query, not yet selecting, stands for. */
export async function countOf(query: { select: CallableFunction }): Promise<number> {
  const row = await (query as unknown as CountableQuery)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

interface CountableQuery {
  select(expression: unknown): { executeTakeFirstOrThrow(): Promise<{ readonly count: number }> };
}
