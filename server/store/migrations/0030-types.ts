// Kinds of devices: whether a type takes signed releases only; and the digests that older clients ask for.

import type { StoreMigration } from "./migration.js";

export const types: StoreMigration = {
  name: "0030_types",
  async up(db, columns) {
    await db.schema
      .createTable("device_types")
      .addColumn("name", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("kind", columns.text, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema.alterTable("firmware").addColumn("md5", columns.text).execute();
    await db.schema.alterTable("firmware").addColumn("sha1", columns.text).execute();
    await db.schema.createIndex("firmware_file_hash").on("firmware").column("file_hash").execute();
  },
};
