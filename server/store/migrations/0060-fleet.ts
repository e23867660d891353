// How many devices ran which version, hour by hour; and indices with which pages of a long list of devices are found.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const fleet: StoreMigration = {
  name: "0060_fleet",
  async up(db, columns) {
    await db.schema
      .createTable("version_samples")
      .addColumn("time", columns.time, (column) => column.notNull())
      .addColumn("device_type", columns.text, (column) => column.notNull())
      .addColumn("version", columns.text, (column) => column.notNull())
      .addColumn("device_count", columns.integer, (column) => column.notNull())
      .addPrimaryKeyConstraint("version_samples_key", ["time", "device_type", "version"])
      .execute();
    // In the order of the list, ids and all, so that a late page is counted off in the index.
    await db.schema.dropIndex("devices_last_seen").execute();
    await sql`create index devices_last_seen on devices (last_seen desc, id)`.execute(db);
    await db.schema.createIndex("devices_version").on("devices").columns(["type", "version"]).execute();
  },
};
