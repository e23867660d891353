// What is asked of every table in the same way: rows by the values of some fields, one more row, a change of one row.

import type { Kysely, Selectable, SelectQueryBuilder } from "kysely";
import { pageOf } from "./page.js";
import { type Converted, recordsOf } from "./rows.js";
import type { Tables } from "./tables.js";

type Fields<Item> = { readonly [Field in keyof Item]?: Item[Field] | undefined };
/** Any one table, whose columns are known only when a query is made. */
type AnyTable = Kysely<Record<string, Record<string, unknown>>>;

/** @param converted, hidden as recordsOf takes them */
export function tableOf<Item extends object, Name extends keyof Tables & string>(
  name: Name,
  converted: Converted<Item>,
  hidden?: readonly string[],
) {
  const records = recordsOf<Item>(converted, hidden);
  const table: string = name;
  const toRow = (fields: Fields<Item>): Record<string, unknown> => records.toRow(fields);
  type Rows = Parameters<typeof records.all>[0];
  type Select = SelectQueryBuilder<Tables, Name, Selectable<Tables[Name]>>;

  /** Throws for a key with an undefined field: it would select more rows than one. */
  const keyRow = (key: Fields<Item>): Record<string, unknown> => {
    const missing = Object.entries(key).find(([, value]) => value === undefined);
    if (missing) throw new Error(`${table}: the key has no ${missing[0]}`);
    return toRow(key);
  };

  /** Fields of the filter that are `undefined` do not narrow. */
  const select = (db: Kysely<Tables>, filter: Fields<Item> = {}): Select => {
    let query = (db as unknown as AnyTable).selectFrom(table).selectAll();
    for (const [column, value] of Object.entries(toRow(filter)))
      query = query.where(column, value === null ? "is" : "=", value);
    return query as unknown as Select;
  };

  return {
    ...records,
    select,
    find: (db: Kysely<Tables>, filter: Fields<Item>): Promise<Item | undefined> =>
      records.first(select(db, filter) as unknown as Rows),
    /** In the order of a query, which `select` has begun. */
    list: (query: unknown): Promise<readonly Item[]> => records.all(query as Rows),
    page: (query: Select, page: Parameters<typeof pageOf>[1]) =>
      pageOf(query, page, records.toItem as unknown as (row: unknown) => Item),
    add: (db: Kysely<Tables>, fields: Fields<Item>): Promise<Item> => {
      const query = (db as unknown as AnyTable).insertInto(table).values(toRow(fields)).returningAll();
      return records.one(query as unknown as Rows);
    },
    /**
     * Inserts a row, or replaces the one with the same key.
     * @param kept fields that a replaced row keeps
     * @param also columns that are set in a replaced row
     */
    put: (
      db: Kysely<Tables>,
      item: Item,
      key: readonly (keyof Item)[],
      kept: readonly (keyof Item)[] = [],
      also: Readonly<Record<string, unknown>> = {},
    ): Promise<Item> => {
      const fixed: readonly unknown[] = [...key, ...kept];
      const isChanging = ([field]: [string, unknown]) => !fixed.includes(field);
      const changing = Object.fromEntries(Object.entries(item).filter(isChanging)) as Fields<Item>;
      const query = (db as unknown as AnyTable)
        .insertInto(table)
        .values(toRow(item))
        .onConflict((conflict) =>
          conflict.columns(key.map(records.columnOf)).doUpdateSet({ ...toRow(changing), ...also }),
        )
        .returningAll();
      return records.one(query as unknown as Rows);
    },
    /** @returns whether there was such a row */
    remove: async (db: Kysely<Tables>, key: Fields<Item>): Promise<boolean> => {
      let query = (db as unknown as AnyTable).deleteFrom(table);
      for (const [column, value] of Object.entries(keyRow(key))) query = query.where(column, "=", value);
      return (await query.executeTakeFirst()).numDeletedRows > 0n;
    },
    /** `undefined`: there is no such row. */
    change: (db: Kysely<Tables>, key: Fields<Item>, changes: Fields<Item>): Promise<Item | undefined> => {
      let query = (db as unknown as AnyTable).updateTable(table).set({ ...toRow(key), ...toRow(changes) });
      for (const [column, value] of Object.entries(keyRow(key))) query = query.where(column, "=", value);
      return records.first(query.returningAll() as unknown as Rows);
    },
  };
}
