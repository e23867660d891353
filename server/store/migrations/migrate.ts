// Brings the tables of a database up to date. Of several servers that start at once, one does it and the others wait.

import { type Kysely, type Migration, Migrator } from "kysely";
import type { SqlDatabase, SqlDialect } from "../sql/database.js";
import { migrations } from "./list.js";
import type { StoreMigration } from "./migration.js";

/** To the newest state, or to that of the named migrations only. */
export async function migrate(
  { db, dialect, schema }: SqlDatabase,
  names: readonly string[] = migrations.map(({ name }) => name),
): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: {
      getMigrations: async () =>
        bind(
          migrations.filter(({ name }) => names.includes(name)),
          dialect,
        ),
    },
    // Parts of the store grow side by side: missing migrations are applied, wherever they are in the list.
    allowUnorderedMigrations: true,
    ...(schema === undefined ? {} : { migrationTableSchema: schema }),
  });
  const { error } = await migrator.migrateToLatest();
  if (error)
    throw new Error(`the database could not be brought up to date: ${describe(error)}`, { cause: error });
}

const bind = (
  list: readonly StoreMigration[],
  { columns, name: dialect }: SqlDialect,
): Record<string, Migration> =>
  Object.fromEntries(
    list.map(({ name, up }) => [
      name,
      { up: (db: Kysely<unknown>) => up(db, columns, dialect) } satisfies Migration,
    ]),
  );

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));
