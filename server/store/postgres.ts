// The store in PostgreSQL, for a fleet that outgrows one machine: any number of servers share it. Every acknowledged write is
// committed by the database (how durable that is, `synchronous_commit` there decides).

import { Kysely, PostgresDialect, sql } from "kysely";
import { migrate } from "./migrations/migrate.js";
import type { SqlDatabase } from "./sql/database.js";
import { openPool, postgres } from "./sql/postgres.js";
import { createSqlStore, type StoreOptions } from "./sql/store.js";
import type { Tables } from "./sql/tables.js";
import type { Store } from "./store.js";

interface PostgresOptions extends Pick<StoreOptions, "maxRunCount"> {
  /** Connections that this store opens at most. */
  readonly maxConnectionCount?: number;
  /** A connection that waited for its next use was lost: the next use opens another. */
  readonly onLost?: (error: Error) => void;
}

/** Connects to `postgres://user:password@host/database` and brings its tables up to date. */
export async function openPostgresStore(url: string, options: PostgresOptions = {}): Promise<Store> {
  const database = await connectPostgres(url, options);
  try {
    await migrate(database);
    return await createSqlStore(database, options);
  } catch (error) {
    await database.db.destroy();
    throw error;
  }
}

export async function connectPostgres(url: string, options: PostgresOptions = {}): Promise<SqlDatabase> {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: openPool(url, options) }) });
  try {
    const { rows } = await sql<{ schema: string | null }>`select current_schema() as schema`.execute(db);
    return { db, dialect: postgres, schema: rows[0]?.schema ?? undefined };
  } catch (error) {
    await db.destroy();
    throw new Error(`the database of DATABASE_URL does not answer: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
