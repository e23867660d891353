// The store in one SQLite file, for a server on one machine. Every acknowledged write has reached the disk (synchronous=FULL):
// a server that is killed, or whose power fails, has lost nothing that it answered for. Only when a device was seen that had nothing
// else to tell waits for no disk: a power cut may cost the last seconds of that. Readers never wait for a writer (WAL).

import Database from "better-sqlite3";
import { Kysely, type SqliteDatabase, sql } from "kysely";
import { migrate } from "./migrations/migrate.js";
import type { SqlDatabase, Turn } from "./sql/database.js";
import { StrictSqliteDialect, sqlite } from "./sql/sqlite.js";
import { openWorker } from "./sql/sqlite-worker.js";
import { createSqlStore, type StoreOptions } from "./sql/store.js";
import type { Tables } from "./sql/tables.js";
import type { Store } from "./store.js";

/** Opens the file, or makes it, and brings its tables up to date. `:memory:` is a store that is forgotten. */
export async function openSqliteStore(file: string, options: StoreOptions = {}): Promise<Store> {
  const database = connectSqlite(file);
  try {
    await migrate(database);
    return await createSqlStore(database, options);
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

/** The rows and indexes of 100 000 devices; a small database takes less. */
const CACHE_KIB = 64 * 1024;
/** Pages of 4096 bytes in the log after which it is checkpointed: a page that is written often is copied once. */
const MAX_LOG_PAGES = 4000;
/**
 * Commits without waiting for the disk, of three pages or so, after which the worker checkpoints the log: otherwise a commit here would
 * do it, and block this thread meanwhile.
 */
const CHECKPOINT_COUNT = 1000;
const checkpoint = (db: Kysely<Tables>) => sql`pragma wal_checkpoint(passive)`.execute(db);
/** Of every connection. */
const PRAGMAS = Object.freeze([
  "busy_timeout = 5000",
  "journal_mode = WAL",
  "foreign_keys = ON",
  `cache_size = -${CACHE_KIB}`,
  `wal_autocheckpoint = ${MAX_LOG_PAGES}`,
]);
/** A commit waits for the disk. */
const WAITS_FOR_DISK = "synchronous = FULL";
/** What was committed is in the file when the process is killed. When the power fails the end of it may not be, and the rest is whole. */
const WAITS_FOR_NOTHING = "synchronous = NORMAL";
/** What the worker collects on the way to the rows. */
const COLLECTS_IN_MEMORY = "temp_store = MEMORY";
/** Of the connection that goes through all devices: much of it is read once, and the operating system keeps it too. */
const READS_ONLY = Object.freeze(["query_only = ON", `cache_size = -${16 * 1024}`]);

export function connectSqlite(file: string): SqlDatabase {
  const database = new Database(file);
  for (const pragma of [...PRAGMAS, WAITS_FOR_DISK]) database.pragma(pragma);
  // From here on the driver waits, so that the process can do other things meanwhile.
  database.pragma("busy_timeout = 0");
  // A database in memory cannot be opened twice.
  const worker = database.memory
    ? undefined
    : openWorker(file, [...PRAGMAS, WAITS_FOR_NOTHING, COLLECTS_IN_MEMORY]);
  const reader = database.memory ? undefined : openWorker(file, [...PRAGMAS, ...READS_ONLY]);
  const db = new Kysely<Tables>({
    dialect: new StrictSqliteDialect({
      database: rememberStatements(database),
      beforeClose: async () => {
        await reader?.destroy();
        await worker?.destroy();
      },
    }),
  });
  const workerTurn: Turn = (work) => (worker ? db.connection().execute(() => work(worker)) : work(db));
  let unsyncedCount = 0;
  const unsyncedTurn: Turn = async (work) => {
    try {
      return await db.connection().execute(async (connection) => {
        database.exec(`pragma ${WAITS_FOR_NOTHING}`);
        try {
          return await work(connection);
        } finally {
          database.exec(`pragma ${WAITS_FOR_DISK}`);
        }
      });
    } finally {
      // One that fails is made up for by the next commit that finds the log long.
      if (++unsyncedCount % CHECKPOINT_COUNT === 0) void workerTurn(checkpoint).catch(() => {});
    }
  };
  return {
    db,
    dialect: sqlite,
    schema: undefined,
    own: { worker: workerTurn, unsynced: unsyncedTurn },
    ...(reader ? { reader } : {}),
  };
}
