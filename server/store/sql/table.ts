// What is asked of every table in the same way: rows by the values of some fields, one more row, a change of one row.

import type { CompiledQuery, Kysely, Selectable, SelectQueryBuilder } from "kysely";
import { pageOf } from "./page.js";
import { type Converted, recordsOf } from "./rows.js";
import { runStatement } from "./statement.js";
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
  const select = (db: Kysely<Tables>, filter: Fields<Item> = {}): Select =>
    where(from(db), toRow(filter)) as unknown as Select;

  const from = (db: Kysely<Tables>) =>
    (db as unknown as AnyTable).selectFrom(table).selectAll() as unknown as AnySelect;

  /** Of a row that narrows: which columns, and which of them have to be null. */
  const shapeOf = (row: Record<string, unknown>): string =>
    Object.entries(row)
      .map(([column, value]) => (value === null ? `${column} null` : column))
      .join();

  return {
    ...records,
    select,
    find: async (db: Kysely<Tables>, filter: Fields<Item>): Promise<Item | undefined> => {
      const row = toRow(filter);
      const [found] = await runStatement(db, `find ${table} ${shapeOf(row)}`, row, (slots) =>
        where(from(db), nullsOf(row, slots)),
      );
      return found && records.toItem(found as never);
    },
    /**
     * Rows by the values of some fields, narrowed and sorted in a way that is always the same.
     * @param name of that way
     */
    listSame: async (
      db: Kysely<Tables>,
      name: string,
      filter: Fields<Item>,
      narrow: (select: Select) => unknown,
    ): Promise<readonly Item[]> => {
      const row = toRow(filter);
      const rows = await runStatement(db, `list ${table} ${name} ${shapeOf(row)}`, row, (slots) => {
        const query = where(from(db), nullsOf(row, slots));
        return narrow(query as unknown as Select) as { compile(): CompiledQuery };
      });
      return rows.map((each) => records.toItem(each as never));
    },
    /** In the order of a query, which `select` has begun. */
    list: (query: unknown): Promise<readonly Item[]> => records.all(query as Rows),
    page: (query: Select, page: Parameters<typeof pageOf>[1]) =>
      pageOf(query, page, records.toItem as unknown as (row: unknown) => Item),
    add: async (db: Kysely<Tables>, fields: Fields<Item>): Promise<Item> => {
      const row = toRow(fields);
      const [added] = await runStatement(db, `add ${table} ${Object.keys(row)}`, row, (slots) =>
        (db as unknown as AnyTable).insertInto(table).values(slots).returningAll(),
      );
      return records.toItem(added as never);
    },
    /**
     * Inserts a row, or replaces the one with the same key.
     * @param kept fields that a replaced row keeps
     * @param also columns that are set in a replaced row
     */
    put: async (
      db: Kysely<Tables>,
      item: Item,
      key: readonly (keyof Item)[],
      kept: readonly (keyof Item)[] = [],
    ): Promise<Item> => {
      const row = toRow(item);
      const [stored] = await runStatement(db, `put ${table} ${Object.keys(row)}`, row, (slots) => {
        const fixed = [...key, ...kept].map(records.columnOf);
        const changing = Object.entries(slots).filter(([column]) => !fixed.includes(column));
        return (db as unknown as AnyTable)
          .insertInto(table)
          .values(slots)
          .onConflict((conflict) =>
            conflict.columns(key.map(records.columnOf)).doUpdateSet(Object.fromEntries(changing)),
          )
          .returningAll();
      });
      return records.toItem(stored as never);
    },
    /** @returns whether there was such a row */
    remove: async (db: Kysely<Tables>, key: Fields<Item>): Promise<boolean> => {
      let query = (db as unknown as AnyTable).deleteFrom(table);
      for (const [column, value] of Object.entries(keyRow(key))) query = query.where(column, "=", value);
      return (await query.executeTakeFirst()).numDeletedRows > 0n;
    },
    /** `undefined`: there is no such row. */
    change: async (
      db: Kysely<Tables>,
      key: Fields<Item>,
      changes: Fields<Item>,
    ): Promise<Item | undefined> => {
      const fixed = keyRow(key);
      const row = { ...fixed, ...toRow(changes) };
      const columns = Object.keys(fixed);
      const values = { ...row, ...prefixed(fixed) };
      const [changed] = await runStatement(
        db,
        `change ${table} ${Object.keys(row)} of ${columns}`,
        values,
        (slots: Readonly<Record<string, unknown>>) => {
          let query = (db as unknown as AnyTable)
            .updateTable(table)
            .set(Object.fromEntries(Object.keys(row).map((column) => [column, slots[column]])));
          for (const column of columns) query = query.where(column, "=", slots[`key ${column}`]);
          return query.returningAll();
        },
      );
      return changed && records.toItem(changed as never);
    },
  };
}

type AnySelect = SelectQueryBuilder<Record<string, Record<string, unknown>>, string, Record<string, unknown>>;

/** @param row its values, or what stands for them; what is null is not compared but tested */
function where(query: AnySelect, row: Readonly<Record<string, unknown>>): AnySelect {
  let narrowed = query;
  for (const [column, value] of Object.entries(row))
    narrowed = narrowed.where(column, value === null ? "is" : "=", value);
  return narrowed;
}

/** The slots of a row, but where it has null. */
const nullsOf = (row: Readonly<Record<string, unknown>>, slots: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [column, value === null ? null : slots[column]]),
  );

/** A key's values beside the same columns of the change. */
const prefixed = (row: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [`key ${column}`, value]));
