// Changes of many devices that a server carries out by itself.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const bulkJobs: StoreMigration = {
  name: "0141_bulk_jobs",
  async up(db, columns) {
    await db.schema
      .createTable("bulk_jobs")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("change", columns.json, (column) => column.notNull())
      .addColumn("selection", columns.json, (column) => column.notNull())
      .addColumn("actor", columns.json, (column) => column.notNull())
      .addColumn("state", columns.text, (column) =>
        column.notNull().check(sql`state in ('running', 'done', 'cancelled', 'failed')`),
      )
      .addColumn("reason", columns.text)
      .addColumn("total_count", columns.integer, (column) => column.notNull())
      .addColumn("done_count", columns.integer, (column) => column.notNull())
      .addColumn("refused_count", columns.integer, (column) => column.notNull())
      .addColumn("refusals", columns.json, (column) => column.notNull())
      .addColumn("after_id", columns.text)
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .addColumn("updated_at", columns.time, (column) => column.notNull())
      .addColumn("ended_at", columns.time)
      .execute();
    await db.schema.createIndex("bulk_jobs_state").on("bulk_jobs").columns(["state", "id"]).execute();
  },
};
