// Updates that gateways distribute in a mesh, and how far each node is.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const mesh: StoreMigration = {
  name: "0031_mesh",
  async up(db, columns) {
    await db.schema
      .createTable("ota_updates")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("firmware_id", columns.integer, (column) => column.notNull().references("firmware.id"))
      .addColumn("target_node", columns.text)
      .addColumn("is_forced", columns.flag, (column) => column.notNull())
      .addColumn("status", columns.text, (column) =>
        column
          .notNull()
          .check(sql`status in ('pending', 'distributing', 'completed', 'failed', 'cancelled')`),
      )
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addColumn("finished_at", columns.time)
      .execute();
    await db.schema.createIndex("ota_updates_status").on("ota_updates").column("status").execute();

    await db.schema
      .createTable("ota_node_status")
      .addColumn("update_id", columns.integer, (column) => column.notNull().references("ota_updates.id"))
      .addColumn("node_id", columns.text, (column) => column.notNull())
      .addColumn("status", columns.text, (column) =>
        column.notNull().check(sql`status in ('pending', 'transferring', 'completed', 'failed')`),
      )
      .addColumn("current_part", columns.integer, (column) => column.notNull())
      .addColumn("total_parts", columns.integer, (column) => column.notNull())
      .addColumn("error", columns.text)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addPrimaryKeyConstraint("ota_node_status_key", ["update_id", "node_id"])
      .execute();
  },
};
