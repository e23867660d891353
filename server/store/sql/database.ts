// A connection to a database, before anything is known of its tables.

import type { Kysely } from "kysely";
import type { SqlDialect } from "./dialect.js";
import type { Tables } from "./tables.js";

/**
 * Does work in a thread of its own, where neither its computing nor the disk stops this one. Nothing else is at the database
 * meanwhile; every statement is a transaction.
 */
export type Aside = <Result>(work: (db: Kysely<Tables>) => Promise<Result>) => Promise<Result>;

export interface SqlDatabase {
  readonly db: Kysely<Tables>;
  readonly dialect: SqlDialect;
  /** Where the tables lie, on databases that have schemas. */
  readonly schema: string | undefined;
  /** Absent: the database has processes of its own. */
  readonly aside?: Aside;
  /**
   * Where all devices are gone through without stopping this thread: it sees what was committed before, and changes nothing. Absent:
   * the database has processes of its own, or nobody else can open it.
   */
  readonly reader?: Kysely<Tables>;
}
