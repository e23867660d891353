// Chooses the database: the one that a URL names, or a SQLite file. What only PostgreSQL needs is loaded only then.

import type { SqlDatabase } from "./sql/database.js";
import { connectSqlite, openSqliteStore } from "./sqlite.js";
import type { Store } from "./store.js";

export interface StoreOptions {
  /** `postgres://…`; absent: the file. */
  readonly databaseUrl?: string | undefined;
  /** Of the SQLite database. */
  readonly file: string;
  /** A connection to the database was lost; it is made again. */
  readonly onTrouble?: (error: Error) => void;
}

/** The database alone, its tables as they are. */
export async function connect({ databaseUrl, file }: StoreOptions): Promise<SqlDatabase> {
  if (!databaseUrl) return connectSqlite(file);
  checkUrl(databaseUrl);
  const { connectPostgres } = await import("./postgres.js");
  return connectPostgres(databaseUrl);
}

export async function openStore(options: StoreOptions): Promise<Store> {
  const { databaseUrl, file, onTrouble = () => {} } = options;
  if (!databaseUrl) return openSqliteStore(file);
  checkUrl(databaseUrl);
  const { openPostgresStore } = await import("./postgres.js");
  return openPostgresStore(databaseUrl, { onLost: onTrouble });
}

function checkUrl(databaseUrl: string): void {
  if (/^postgres(ql)?:\/\//.test(databaseUrl)) return;
  // Not the whole: it may have a password in it.
  const scheme = /^[a-z0-9+.-]{1,20}:/i.exec(databaseUrl)?.[0] ?? "something else";
  throw new Error(`DATABASE_URL begins with ${scheme}, not with postgres://`);
}
