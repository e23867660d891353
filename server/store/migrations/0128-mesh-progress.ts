// When an update in a mesh began, and why it failed.

import type { StoreMigration } from "./migration.js";

export const meshProgress: StoreMigration = {
  name: "0128_mesh_progress",
  async up(db, columns) {
    await db.schema.alterTable("ota_updates").addColumn("started_at", columns.time).execute();
    await db.schema.alterTable("ota_updates").addColumn("error", columns.text).execute();
  },
};
