// Brings the tables of a database up to date. Of several servers that start at once, one does it and the others wait.

import { DEFAULT_MIGRATION_TABLE, type Kysely, type Migration, Migrator, sql } from "kysely";
import type { SqlDatabase, SqlDialect } from "../sql/database.js";
import { migrations } from "./list.js";
import type { StoreMigration } from "./migration.js";

const ALL: readonly string[] = migrations.map(({ name }) => name);

/** To the newest state, or to that of the named migrations only. @throws Error if a newer version has changed the tables */
export async function migrate(database: SqlDatabase, names = ALL): Promise<void> {
  const unknown = (await listMigrations(database)).filter(({ isKnown }) => !isKnown);
  if (unknown.length > 0)
    throw new Error(
      `a newer version of Skyslot has used it: this one does not know ${unknown.map(({ name }) => name).join(", ")}. Migrations cannot be undone: install that version again, or restore a backup from before it`,
    );
  const { error } = await migratorOf(database, names).migrateToLatest();
  if (error)
    throw new Error(`the database could not be brought up to date: ${describe(error)}`, { cause: error });
}

export interface MigrationState {
  readonly name: string;
  /** ISO 8601; `undefined`: the next start of a server applies it. */
  readonly appliedAt: string | undefined;
  /** `false`: a newer version has applied it. */
  readonly isKnown: boolean;
}

/** The migrations of this version, in order, and those that only the database knows. Changes nothing. */
export async function listMigrations(database: SqlDatabase): Promise<readonly MigrationState[]> {
  const own = await migratorOf(database, ALL).getMigrations();
  const known = own.map(({ name, executedAt }) => ({
    name,
    appliedAt: executedAt?.toISOString(),
    isKnown: true,
  }));
  if (known.every(({ appliedAt }) => appliedAt === undefined)) return known;
  const { db, schema } = database;
  const table = sql.id(...(schema === undefined ? [] : [schema]), DEFAULT_MIGRATION_TABLE);
  const { rows } = await sql<{ readonly name: string; readonly timestamp: string }>`
    select name, timestamp from ${table} order by timestamp`.execute(db);
  const others = rows.filter(({ name }) => !ALL.includes(name));
  return [...known, ...others.map(({ name, timestamp }) => ({ name, appliedAt: timestamp, isKnown: false }))];
}

const migratorOf = ({ db, dialect, schema }: SqlDatabase, names: readonly string[]): Migrator =>
  new Migrator({
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
