// Systems: several devices that are updated as one.

import type { StoreMigration } from "./migration.js";

export const systems: StoreMigration = {
  name: "0129_systems",
  async up(db, columns) {
    await db.schema
      .createTable("systems")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("name", columns.text, (column) => column.notNull())
      .addColumn("version", columns.text, (column) => column.notNull())
      .addColumn("device_types", columns.json, (column) => column.notNull())
      .addColumn("manifest", columns.text, (column) => column.notNull())
      .addColumn("is_active", columns.flag, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addUniqueConstraint("systems_version", ["name", "version"])
      .execute();
    await db.schema.createIndex("systems_types").on("systems").column("device_types").execute();
  },
};
