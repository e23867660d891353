// What a device reports of itself beside what every device reports (hawkBit's configData): names and texts.

import type { StoreMigration } from "./migration.js";

export const attributes: StoreMigration = {
  name: "0032_attributes",
  async up(db, columns) {
    await db.schema
      .createTable("device_attributes")
      .addColumn("device_id", columns.text, (column) =>
        column.primaryKey().notNull().references("devices.id"),
      )
      .addColumn("attributes", columns.json, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .execute();
  },
};
