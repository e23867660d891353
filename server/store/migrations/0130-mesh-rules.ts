// Whether an update in a mesh is for all of its nodes or for each, and that a node holds an image until the others have it.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const meshRules: StoreMigration = {
  name: "0130_mesh_rules",
  async up(db, columns) {
    await db.schema
      .alterTable("ota_updates")
      .addColumn("rule", columns.text, (column) =>
        column.notNull().defaultTo("each").check(sql`rule in ('all', 'each')`),
      )
      .execute();

    // SQLite changes no constraint of a table that is there.
    await db.schema
      .createTable("ota_node_progress")
      .addColumn("update_id", columns.integer, (column) => column.notNull().references("ota_updates.id"))
      .addColumn("node_id", columns.text, (column) => column.notNull())
      .addColumn("status", columns.text, (column) =>
        column.notNull().check(sql`status in ('pending', 'transferring', 'staged', 'completed', 'failed')`),
      )
      .addColumn("current_part", columns.integer, (column) => column.notNull())
      .addColumn("total_parts", columns.integer, (column) => column.notNull())
      .addColumn("error", columns.text)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addPrimaryKeyConstraint("ota_node_progress_key", ["update_id", "node_id"])
      .execute();
    await sql`insert into ota_node_progress (update_id, node_id, status, current_part, total_parts, error, created_at, updated_at)
      select update_id, node_id, status, current_part, total_parts, error, created_at, updated_at from ota_node_status`.execute(
      db,
    );
    await db.schema.dropTable("ota_node_status").execute();
    await db.schema.alterTable("ota_node_progress").renameTo("ota_node_status").execute();
  },
};
