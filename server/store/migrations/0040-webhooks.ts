// Webhooks and their queue.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const webhooks: StoreMigration = {
  name: "0040_webhooks",
  async up(db, columns) {
    await db.schema
      .createTable("webhooks")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("url", columns.text, (column) => column.notNull())
      .addColumn("events", columns.json, (column) => column.notNull())
      .addColumn("secret", columns.text, (column) => column.notNull())
      .addColumn("description", columns.text, (column) => column.notNull())
      .addColumn("is_active", columns.flag, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .execute();

    await db.schema
      .createTable("webhook_deliveries")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("webhook_id", columns.integer, (column) => column.notNull().references("webhooks.id"))
      .addColumn("message_id", columns.text, (column) => column.notNull())
      .addColumn("kind", columns.text, (column) => column.notNull())
      .addColumn("body", columns.text, (column) => column.notNull())
      .addColumn("state", columns.text, (column) =>
        column.notNull().check(sql`state in ('pending', 'delivered', 'given_up', 'dropped')`),
      )
      .addColumn("attempt_count", columns.integer, (column) => column.notNull())
      .addColumn("due_at", columns.time, (column) => column.notNull())
      .addColumn("status_code", columns.integer)
      .addColumn("error", columns.text)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("webhook_deliveries_due")
      .on("webhook_deliveries")
      .columns(["webhook_id", "state", "due_at"])
      .execute();
  },
};
