// What tables a database has, asked from the database itself: so what goes through all of them (export and import) needs to know
// none of them.

import type { SqlDatabase, TableDescription } from "./database.js";

/** Every table of the store; each comes after those that it refers to. */
export async function readTables(database: SqlDatabase): Promise<readonly TableDescription[]> {
  const tables = await database.dialect.readCatalog(database);
  return sortByReference([...tables].sort((a, b) => (a.name < b.name ? -1 : 1)));
}

function sortByReference(tables: readonly TableDescription[]): readonly TableDescription[] {
  const sorted: TableDescription[] = [];
  let left = [...tables];
  while (left.length > 0) {
    const waiting = new Set(left.map(({ name }) => name));
    const ready = left.filter(({ name, references }) =>
      references.every((other) => other === name || !waiting.has(other)),
    );
    if (ready.length === 0)
      throw new Error(`tables refer to each other in a circle: ${[...waiting].join(", ")}`);
    sorted.push(...ready);
    left = left.filter((table) => !ready.includes(table));
  }
  return sorted;
}
