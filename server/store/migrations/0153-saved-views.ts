// Views of the device list that people have saved: a name, and the query of the page.

import type { StoreMigration } from "./migration.js";

export const savedViews: StoreMigration = {
  name: "0153_saved_views",
  async up(db, columns) {
    await db.schema
      .createTable("saved_views")
      .addColumn("user_id", columns.integer, (column) => column.notNull().references("users.id"))
      .addColumn("name", columns.text, (column) => column.notNull())
      .addColumn("query", columns.text, (column) => column.notNull())
      .addPrimaryKeyConstraint("saved_views_key", ["user_id", "name"])
      .execute();
  },
};
