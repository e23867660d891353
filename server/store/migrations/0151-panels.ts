// Which devices have asked for a panel's picture, and which one they have.

import type { StoreMigration } from "./migration.js";

export const panels: StoreMigration = {
  name: "0151_panels",
  async up(db, columns) {
    await db.schema
      .createTable("panels")
      .addColumn("device_id", columns.text, (column) =>
        column.primaryKey().notNull().references("devices.id"),
      )
      .addColumn("asked_at", columns.time, (column) => column.notNull())
      .addColumn("etag", columns.text)
      .addColumn("fetched_at", columns.time)
      .execute();
  },
};
