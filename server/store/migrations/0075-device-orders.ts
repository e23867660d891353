// What operators have ordered devices to do, and what became of it.

import type { StoreMigration } from "./migration.js";

export const deviceOrders: StoreMigration = {
  name: "0075_device_orders",
  async up(db, columns) {
    await db.schema
      .createTable("device_orders")
      .addColumn("device_id", columns.text, (column) => column.notNull())
      .addColumn("id", columns.integer, (column) => column.notNull())
      .addColumn("kind", columns.text, (column) => column.notNull())
      .addColumn("settings", columns.json)
      .addColumn("state", columns.text, (column) => column.notNull())
      .addColumn("reason", columns.text)
      .addColumn("ordered_by", columns.text, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("expires_at", columns.time, (column) => column.notNull())
      .addColumn("sent_at", columns.time)
      .addColumn("ended_at", columns.time)
      .addPrimaryKeyConstraint("device_orders_key", ["device_id", "id"])
      .execute();
    await db.schema
      .createIndex("device_orders_state")
      .on("device_orders")
      .columns(["state", "expires_at"])
      .execute();
    await db.schema.createIndex("device_orders_ended").on("device_orders").columns(["ended_at"]).execute();
  },
};
