// A connection to a database, before anything is known of its tables.

import type { Kysely } from "kysely";
import type { SqlDialect } from "./dialect.js";
import type { Tables } from "./tables.js";

export interface SqlDatabase {
  readonly db: Kysely<Tables>;
  readonly dialect: SqlDialect;
  /** Where the tables lie, on databases that have schemas. */
  readonly schema: string | undefined;
}
