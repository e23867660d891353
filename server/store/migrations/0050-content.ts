// Pictures for panels, and who shows which of them when.

import { sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const content: StoreMigration = {
  name: "0050_content",
  async up(db, columns) {
    await db.schema
      .createTable("content_images")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("name", columns.text, (column) => column.notNull())
      .addColumn("width", columns.integer, (column) => column.notNull())
      .addColumn("height", columns.integer, (column) => column.notNull())
      .addColumn("hash", columns.text, (column) => column.notNull())
      .addColumn("size_bytes", columns.integer, (column) => column.notNull())
      .addColumn("created_by", columns.text, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema.createIndex("content_images_hash").on("content_images").column("hash").execute();

    await db.schema
      .createTable("content_assignments")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("image_id", columns.integer, (column) => column.notNull().references("content_images.id"))
      .addColumn("target_kind", columns.text, (column) =>
        column.notNull().check(sql`target_kind in ('device', 'group', 'type', 'default')`),
      )
      .addColumn("target", columns.text, (column) => column.notNull())
      .addColumn("from_time", columns.time)
      .addColumn("until_time", columns.time)
      .addColumn("windows", columns.json)
      .addColumn("created_by", columns.text, (column) => column.notNull())
      .addColumn("created_at", columns.time, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("content_assignments_target")
      .on("content_assignments")
      .columns(["target_kind", "target"])
      .execute();
    await db.schema
      .createIndex("content_assignments_image")
      .on("content_assignments")
      .column("image_id")
      .execute();
  },
};
