// Trust roots, one version after another, and which of them each device has.

import type { StoreMigration } from "./migration.js";

export const trustRoots: StoreMigration = {
  name: "0142_trust_roots",
  async up(db, columns) {
    await db.schema
      .createTable("trust_roots")
      .addColumn("version", columns.integer, (column) => column.primaryKey())
      .addColumn("text", columns.text, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema.alterTable("devices").addColumn("root_version", columns.integer).execute();
  },
};
