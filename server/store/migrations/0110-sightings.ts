// What every quiet check pays for. When a device was seen changes with each: an index of that makes such a change cost three times as
// much, on either database, and is gone; lists in that order are sorted when somebody looks. SQLite finds the key of a quiet check in
// an index alone, instead of in an index and then in one of thousands of pages of rows.

import { sql } from "kysely";
import type { StoreMigration } from "./migrate.js";

export const sightings: StoreMigration = {
  name: "0110_sightings",
  async up(db, _columns, dialect) {
    await db.schema.dropIndex("devices_last_seen").execute();
    if (dialect === "sqlite")
      await sql`create index devices_quiet on devices (id, quiet_revision, quiet_key)`.execute(db);
  },
};
