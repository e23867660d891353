// How often a password may still be tried, for all servers that share the database.

import type { StoreMigration } from "./migration.js";

export const loginBuckets: StoreMigration = {
  name: "0100_login_buckets",
  async up(db, columns) {
    await db.schema
      .createTable("login_buckets")
      .addColumn("name", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("full_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema.createIndex("login_buckets_full").on("login_buckets").column("full_at").execute();
  },
};
