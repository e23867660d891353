// What operators say of devices.

import type { StoreMigration } from "./migration.js";

export const labels: StoreMigration = {
  name: "0011_labels",
  async up(db, columns) {
    await db.schema
      .createTable("device_labels")
      .addColumn("device_id", columns.text, (column) =>
        column.primaryKey().notNull().references("devices.id"),
      )
      .addColumn("group_name", columns.text)
      .addColumn("pin", columns.text)
      .addColumn("tags", columns.json, (column) => column.notNull())
      .execute();
    await db.schema.createIndex("device_labels_group").on("device_labels").column("group_name").execute();
    // The same tags once more, one a row, to find devices by them.
    await db.schema
      .createTable("device_tags")
      .addColumn("device_id", columns.text, (column) => column.notNull().references("devices.id"))
      .addColumn("tag", columns.text, (column) => column.notNull())
      .addPrimaryKeyConstraint("device_tags_key", ["tag", "device_id"])
      .execute();
    await db.schema.createIndex("device_tags_device").on("device_tags").column("device_id").execute();
    await db.schema.createIndex("devices_type").on("devices").columns(["type", "id"]).execute();
  },
};
