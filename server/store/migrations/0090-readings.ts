// What a device's sensors said last: JSON of those that it has.

import type { StoreMigration } from "./migration.js";

export const readings: StoreMigration = {
  name: "0090_readings",
  async up(db, columns) {
    await db.schema.alterTable("devices").addColumn("readings", columns.text).execute();
    await db.schema.alterTable("device_sightings").addColumn("readings", columns.text).execute();
  },
};
