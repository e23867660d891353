// A connection to a database, before anything is known of its tables.

import type { Kysely } from "kysely";
import type { SqlDialect } from "./dialect.js";
import type { Tables } from "./tables.js";

/** Does work at a database that nobody else in this process is at meanwhile. Every statement is a transaction. */
export type Turn = <Result>(work: (db: Kysely<Tables>) => Promise<Result>) => Promise<Result>;

export interface SqlDatabase {
  readonly db: Kysely<Tables>;
  readonly dialect: SqlDialect;
  /** Where the tables lie, on databases that have schemas. */
  readonly schema: string | undefined;
  /** Absent: the database has processes of its own. */
  readonly own?: OwnTurns;
  /**
   * Where all devices are gone through without stopping this thread: it sees what was committed before, and changes nothing. Absent:
   * the database has processes of its own, or nobody else can open it.
   */
  readonly reader?: Kysely<Tables>;
}

/** Of a database that is a file of this process. */
export interface OwnTurns {
  /** In a thread of its own, where neither its computing nor the disk stops this one. */
  readonly worker: Turn;
  /** Here, and no commit waits for the disk: what is small, and may be lost when the power fails, though not when the process is killed. */
  readonly unsynced: Turn;
}
