// The keys of no-op checks in SQL: stored in a transaction, deleted by every change that could change an answer. The columns keep the
// names that they were made with, quiet_key and quiet_revision.

import { type Kysely, sql } from "kysely";
import type { NoOpStore } from "../no-op-checks.js";
import type { Tables } from "./tables.js";

/** There is one row at most. */
const ROW_ID = 1;

/** Counts every change that may concern any device: a key is good at the revision at which it was stored. */
export const FLEET_REVISION = "coalesce((select revision from fleet_revision), 0)";
export const fleetRevision = sql.raw<number>(FLEET_REVISION);

export function createNoOpStore(db: Kysely<Tables>): NoOpStore {
  return {
    async putNoOpKey(deviceId, noOpKey) {
      await db
        .updateTable("devices")
        .set({ quiet_key: noOpKey, quiet_revision: fleetRevision })
        .where("id", "=", deviceId)
        .execute();
    },
  };
}

/** For a change to one device: its next check takes the full path. */
export async function forgetNoOpKey(db: Kysely<Tables>, deviceId: string): Promise<void> {
  await db
    .updateTable("devices")
    .set({ quiet_key: null })
    .where("id", "=", deviceId)
    .where("quiet_key", "is not", null)
    .execute();
}

/** For a change that may concern every device: the next check of each takes the full path. */
export async function forgetNoOpKeys(db: Kysely<Tables>): Promise<void> {
  await db
    .insertInto("fleet_revision")
    .values({ id: ROW_ID, revision: 1 })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet({ revision: sql<number>`fleet_revision.revision + 1` }),
    )
    .execute();
}
