// The keys of no-op checks in SQL: stored with the device's row (devices.ts), deleted by every change that could change an answer. The columns keep the
// names that they were made with, quiet_key and quiet_revision.

import { type Kysely, sql } from "kysely";
import { leaveFacts } from "./fleet-facts.js";
import { runStatement } from "./statement.js";
import type { Tables } from "./tables.js";

/** There is one row at most. */
const ROW_ID = 1;

/** Counts every change that may concern any device: a key is good at the revision at which it was stored. */
export const FLEET_REVISION = "coalesce((select revision from fleet_revision), 0)";
export const fleetRevision = sql.raw<number>(FLEET_REVISION);

/** For a change to one device: its next check takes the full path. */
export async function forgetNoOpKey(db: Kysely<Tables>, deviceId: string): Promise<void> {
  await runStatement(db, "forget no-op key", { deviceId }, (slots) =>
    db
      .updateTable("devices")
      .set({ quiet_key: null })
      .where("id", "=", slots.deviceId)
      .where("quiet_key", "is not", null),
  );
}

/** For a change that may concern every device: the next check of each takes the full path. */
export async function forgetNoOpKeys(db: Kysely<Tables>): Promise<void> {
  leaveFacts(db);
  await db
    .insertInto("fleet_revision")
    .values({ id: ROW_ID, revision: 1 })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet({ revision: sql<number>`fleet_revision.revision + 1` }),
    )
    .execute();
}
