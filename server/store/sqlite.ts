// The store in one SQLite file, for a server on one machine. Every acknowledged write has reached the disk (synchronous=FULL):
// a server that is killed has lost nothing that it answered for. Readers never wait for a writer (WAL).

import Database from "better-sqlite3";
import { Kysely, type SqliteDatabase } from "kysely";
import { migrate } from "./migrations/migrate.js";
import type { SqlDatabase } from "./sql/database.js";
import { StrictSqliteDialect, sqlite } from "./sql/sqlite.js";
import { createSqlStore } from "./sql/store.js";
import type { Store } from "./store.js";

/** Opens the file, or makes it, and brings its tables up to date. `:memory:` is a store that is forgotten. */
export async function openSqliteStore(file: string): Promise<Store> {
  const database = connectSqlite(file);
  try {
    await migrate(database);
    return await createSqlStore(database);
  } catch (error) {
    await database.db.destroy();
    throw new Error(`database ${file}: ${(error as Error).message}`, { cause: error });
  }
}

/** More than the store has; lists of different lengths make a few more. */
const MAX_STATEMENT_COUNT = 1000;

/** To compile a statement takes longer than to run it once, and the store says the same ones again and again. */
function rememberStatements(database: Database.Database): SqliteDatabase {
  const statements = new Map<string, Database.Statement>();
  return {
    prepare(text) {
      const statement = statements.get(text) ?? database.prepare(text);
      if (statements.size >= MAX_STATEMENT_COUNT) statements.clear();
      statements.set(text, statement);
      return statement as ReturnType<SqliteDatabase["prepare"]>;
    },
    close: () => database.close(),
  };
}

export function connectSqlite(file: string): SqlDatabase {
  const database = new Database(file);
  database.pragma("busy_timeout = 5000");
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  // From here on the driver waits, so that the process can do other things meanwhile.
  database.pragma("busy_timeout = 0");
  return {
    db: new Kysely({ dialect: new StrictSqliteDialect({ database: rememberStatements(database) }) }),
    dialect: sqlite,
    schema: undefined,
  };
}
