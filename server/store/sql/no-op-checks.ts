// Keys of quiet checks in SQL: put in a transaction, forgotten by whatever could change an answer.

import { type Kysely, sql } from "kysely";
import type { NoOpStore } from "../no-op-checks.js";
import type { Tables } from "./tables.js";

/** There is one row at most. */
const ROW_ID = 1;

/** Counts every change that may concern any device: keys are good at the number at which they were put. */
export const FLEET_REVISION = "coalesce((select revision from fleet_revision), 0)";
export const fleetRevision = sql.raw<number>(FLEET_REVISION);

export function createNoOpStore(db: Kysely<Tables>): NoOpStore {
  return {
    async putQuietKey(deviceId, noOpKey) {
      await db
        .updateTable("devices")
        .set({ quiet_key: noOpKey, quiet_revision: fleetRevision })
        .where("id", "=", deviceId)
        .execute();
    },
  };
}

/** Something was said of one device: its next check goes the whole way. */
export async function forgetNoOpKey(db: Kysely<Tables>, deviceId: string): Promise<void> {
  await db
    .updateTable("devices")
    .set({ quiet_key: null })
    .where("id", "=", deviceId)
    .where("quiet_key", "is not", null)
    .execute();
}

/** Something was said that may concern every device: the next check of each goes the whole way. */
export async function forgetNoOpKeys(db: Kysely<Tables>): Promise<void> {
  await db
    .insertInto("fleet_revision")
    .values({ id: ROW_ID, revision: 1 })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet({ revision: sql<number>`fleet_revision.revision + 1` }),
    )
    .execute();
}
