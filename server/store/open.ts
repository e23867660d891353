// Chooses the database: the one that a URL names, or a SQLite file. What only PostgreSQL needs is loaded only then.

import type { Relay } from "../live.js";
import { openSqliteStore } from "./sqlite.js";
import type { Store } from "./store.js";

export interface StoreOptions {
  /** `postgres://…`; absent: the file. */
  readonly databaseUrl?: string | undefined;
  /** Of the SQLite database. */
  readonly file: string;
  /** A connection to the database was lost; it is made again. */
  readonly onTrouble?: (error: Error) => void;
}

export interface OpenedStore {
  readonly store: Store;
  /** Where several servers may share the store. */
  readonly relay: Relay | undefined;
}

export async function openStore(options: StoreOptions): Promise<OpenedStore> {
  const { databaseUrl, file, onTrouble = () => {} } = options;
  if (!databaseUrl) return { store: await openSqliteStore(file), relay: undefined };
  if (!/^postgres(ql)?:\/\//.test(databaseUrl)) {
    // Not the whole: it may have a password in it.
    const scheme = /^[a-z0-9+.-]{1,20}:/i.exec(databaseUrl)?.[0] ?? "something else";
    throw new Error(`DATABASE_URL begins with ${scheme}, not with postgres://`);
  }
  const { openPostgresStore } = await import("./postgres.js");
  const { openPostgresRelay } = await import("../postgres-relay.js");
  const store = await openPostgresStore(databaseUrl, { onLost: onTrouble });
  return { store, relay: openPostgresRelay(databaseUrl, onTrouble) };
}
