// What sensors of devices said over time: hourly, and once a day.

import type { StoreMigration } from "./migration.js";

export const readingSamples: StoreMigration = {
  name: "0152_reading_samples",
  async up(db, columns) {
    await db.schema
      .createTable("reading_samples")
      .addColumn("is_daily", columns.integer, (column) => column.notNull())
      .addColumn("device_id", columns.text, (column) => column.notNull())
      .addColumn("time", columns.time, (column) => column.notNull())
      .addColumn("readings", columns.json, (column) => column.notNull())
      .addColumn("rssi", columns.integer)
      .addPrimaryKeyConstraint("reading_samples_key", ["device_id", "is_daily", "time"])
      .execute();
    await db.schema
      .createIndex("reading_samples_by_time")
      .on("reading_samples")
      .columns(["is_daily", "time"])
      .execute();
  },
};
