// How often the whole file of an attempt was sent: a client that begins again and again without an end is stopped.

import type { StoreMigration } from "./migration.js";

export const sentCounts: StoreMigration = {
  name: "0127_sent_counts",
  async up(db, columns) {
    await db.schema
      .alterTable("updates")
      .addColumn("sent_count", columns.integer, (column) => column.notNull().defaultTo(0))
      .execute();
  },
};
