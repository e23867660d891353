// Rollouts can be changed: how often that was done, and who did it last.

import type { StoreMigration } from "./migration.js";

export const rolloutEdits: StoreMigration = {
  name: "0080_rollout_edits",
  async up(db, columns) {
    await db.schema
      .alterTable("rollouts")
      .addColumn("revision", columns.integer, (column) => column.notNull().defaultTo(1))
      .execute();
    await db.schema.alterTable("rollouts").addColumn("edited_by", columns.text).execute();
  },
};
