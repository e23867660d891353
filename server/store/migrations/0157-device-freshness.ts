// Since when a device says that it is frozen, in place of whether it does, and when a statement of freshness was last made for it.

import { type Kysely, sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const deviceFreshness: StoreMigration = {
  name: "0157_device_freshness",
  async up(db, columns) {
    await db.schema.alterTable("devices").addColumn("frozen_since", columns.time).execute();
    await db.schema.alterTable("devices").addColumn("stated_at", columns.time).execute();
    // since when was not kept: the last check is the latest that it can be
    await (db as Kysely<{ devices: { frozen_since: number | null; is_frozen: number } }>)
      .updateTable("devices")
      .set({ frozen_since: sql<number>`last_seen` })
      .where("is_frozen", "=", 1)
      .execute();
    await db.schema.alterTable("devices").dropColumn("is_frozen").execute();
  },
};
