// What lets a check that changes nothing be answered on the fast path, see store/no-op-checks.ts.

import type { StoreMigration } from "./migration.js";

export const noOpChecks: StoreMigration = {
  name: "0070_quiet_checks",
  async up(db, columns) {
    await db.schema.alterTable("devices").addColumn("quiet_key", columns.text).execute();
    await db.schema.alterTable("devices").addColumn("quiet_revision", columns.integer).execute();
    await db.schema
      .createTable("fleet_revision")
      .addColumn("id", columns.integer, (column) => column.primaryKey().notNull())
      .addColumn("revision", columns.integer, (column) => column.notNull())
      .execute();
    await db.schema
      .createTable("device_sightings")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("device_id", columns.text, (column) => column.notNull())
      .addColumn("seen_at", columns.time, (column) => column.notNull())
      .addColumn("free_heap", columns.integer)
      .addColumn("rssi", columns.integer)
      .addColumn("uptime_seconds", columns.real)
      .execute();
  },
};
