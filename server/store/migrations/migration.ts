// One step in the history of the tables.

import type { Kysely } from "kysely";
import type { ColumnTypes, SqlDialect } from "../sql/database.js";

/** One step of the history. It runs in the transaction of the whole change, so that a server killed in it leaves the old tables. */
export interface StoreMigration {
  /** Sorts after the names before it. Never changed once released. */
  readonly name: string;
  up(db: Kysely<unknown>, columns: ColumnTypes, dialect: SqlDialect["name"]): Promise<void>;
}
