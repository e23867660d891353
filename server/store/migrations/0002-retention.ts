// Finds the attempts that ended long ago.

import type { StoreMigration } from "./migration.js";

export const retention: StoreMigration = {
  name: "0002_retention",
  async up(db) {
    await db.schema.createIndex("updates_finished").on("updates").column("finished_at").execute();
  },
};
