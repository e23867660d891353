// What devices can be ordered to do: the kinds of order and the settings with their limits, which all devices with the same firmware share,
// and the present values of each.

import type { StoreMigration } from "./migration.js";

export const abilities: StoreMigration = {
  name: "0150_abilities",
  async up(db, columns) {
    await db.schema
      .createTable("ability_sets")
      .addColumn("hash", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("orders", columns.json, (column) => column.notNull())
      .addColumn("fields", columns.json, (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("device_abilities")
      .addColumn("device_id", columns.text, (column) =>
        column.primaryKey().notNull().references("devices.id"),
      )
      .addColumn("digest", columns.text, (column) => column.notNull())
      .addColumn("set_hash", columns.text, (column) => column.notNull().references("ability_sets.hash"))
      .addColumn("setting_values", columns.json, (column) => column.notNull())
      .addColumn("told_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("device_abilities_by_set")
      .on("device_abilities")
      .column("set_hash")
      .execute();
  },
};
