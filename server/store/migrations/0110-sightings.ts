// What every no-op check costs. Each changes when a device was last seen, and so an index of it: in SQLite that was half to two thirds
// of the cost, in PostgreSQL it writes to every other index of the row too. It is dropped; lists in that order are sorted when they are
// read. SQLite finds the key of a no-op check in an index alone, instead of in an index and then among all the rows.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const sightings: StoreMigration = {
  name: "0110_sightings",
  async up(db, _columns, dialect) {
    await db.schema.dropIndex("devices_last_seen").execute();
    if (dialect === "sqlite")
      await sql`create index devices_quiet on devices (id, quiet_revision, quiet_key)`.execute(db);
  },
};
