// Which clients have signed in to which account, and by what a session knows its own old refresh tokens.

import type { StoreMigration } from "./migration.js";

export const signIns: StoreMigration = {
  name: "0124_sign_ins",
  async up(db, columns) {
    await db.schema
      .createTable("known_clients")
      .addColumn("client", columns.text, (column) => column.notNull())
      .addColumn("account", columns.text, (column) => column.notNull())
      .addColumn("seen_at", columns.time, (column) => column.notNull())
      .addPrimaryKeyConstraint("known_clients_key", ["client", "account"])
      .execute();
    await db.schema.createIndex("known_clients_seen").on("known_clients").column("seen_at").execute();

    await db.schema.alterTable("sessions").addColumn("refresh_key", columns.text).execute();
  },
};
