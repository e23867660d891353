// What every quiet check pays for. When a device was seen changes with each, and so would an index of it: in SQLite that was half to
// two thirds of such a change, in PostgreSQL it writes to every other index of the row too. It is gone; lists in that order are sorted
// when somebody looks. SQLite finds the key of a quiet check in an index alone, instead of in an index and then among all the rows.

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
