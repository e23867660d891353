// Records as rows of a table: the same fields by name, in snake_case; flags are 0 and 1, lists and objects are JSON text. The row's type
// comes from the record's, so that a field is named in the contract, in its migration and nowhere else.

import type { Generated, Selectable } from "kysely";

type SnakeCase<Name extends string> = Name extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeCase<Rest>}`
  : "";
type Column<Value> = Value extends boolean ? number : Value extends object ? string : Value;

/** The table of a record. @template Counted keys that the database counts up */
export type RowOf<Item, Counted extends keyof Item = never> = {
  -readonly [Field in keyof Item as SnakeCase<Field & string>]: Field extends Counted
    ? Generated<Item[Field]>
    : Column<Item[Field]>;
};

/** Fields that a column holds in another form. */
export type Converted<Item> = {
  readonly [Field in keyof Item as NonNullable<Item[Field]> extends boolean | object
    ? Field
    : never]: NonNullable<Item[Field]> extends boolean ? "flag" : "json";
};

interface Query<Row> {
  execute(): Promise<readonly Row[]>;
  executeTakeFirst(): Promise<Row | undefined>;
  executeTakeFirstOrThrow(): Promise<Row>;
}

/**
 * @param converted every field that is a flag, a list or an object: the compiler asks for it
 * @param hidden columns that are no field of the record
 */
export function recordsOf<Item extends object>(converted: Converted<Item>, hidden: readonly string[] = []) {
  type Row = Selectable<RowOf<Item>>;
  const forms: Readonly<Record<string, "flag" | "json" | undefined>> = converted;
  const fieldOf = remembering((column) =>
    column.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
  );
  const columnOf = remembering((field) => field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));

  const toItem = (row: Row): Item => {
    const item: Record<string, unknown> = {};
    for (const [column, value] of Object.entries(row)) {
      if (hidden.includes(column)) continue;
      const field = fieldOf(column);
      const form = value === null ? undefined : forms[field];
      item[field] = form === "flag" ? value !== 0 : form === "json" ? JSON.parse(value as string) : value;
    }
    return item as Item;
  };

  /** What is `undefined` is left out. */
  const toRow = <Given extends { readonly [Field in keyof Item]?: Item[Field] | undefined }>(
    given: Given,
  ): { [Field in keyof Given as SnakeCase<Field & string>]: Column<Given[Field]> } => {
    const row: Record<string, unknown> = {};
    for (const [field, value] of Object.entries(given)) {
      if (value === undefined) continue;
      const form = value === null ? undefined : forms[field];
      row[columnOf(field)] =
        form === "flag" ? Number(value) : form === "json" ? JSON.stringify(value) : value;
    }
    return row as ReturnType<typeof toRow<Given>>;
  };

  return {
    toItem,
    toRow,
    columnOf: (field: keyof Item): string => columnOf(field as string),
    all: async (query: Query<Row>): Promise<readonly Item[]> => (await query.execute()).map(toItem),
    first: async (query: Query<Row>): Promise<Item | undefined> => {
      const row = await query.executeTakeFirst();
      return row && toItem(row);
    },
    /** For a query that always returns a row. */
    one: async (query: Query<Row>): Promise<Item> => toItem(await query.executeTakeFirstOrThrow()),
  };
}

/** There are as many names as the schema has. */
function remembering(rename: (name: string) => string): (name: string) => string {
  const names = new Map<string, string>();
  return (name) => {
    const known = names.get(name) ?? rename(name);
    names.set(name, known);
    return known;
  };
}
