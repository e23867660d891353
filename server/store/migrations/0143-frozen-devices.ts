// Whether a device says that it has had no statement of freshness for two weeks.

import type { StoreMigration } from "./migration.js";

export const frozenDevices: StoreMigration = {
  name: "0143_frozen_devices",
  async up(db, columns) {
    await db.schema
      .alterTable("devices")
      .addColumn("is_frozen", columns.flag, (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
