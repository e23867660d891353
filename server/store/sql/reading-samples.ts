// Readings over time in SQL.

import { type Kysely, sql } from "kysely";
import type { Readings } from "../../../firmware/core/wire.js";
import type { ReadingSampleStore, SampleKind } from "../reading-samples.js";
import { countOf } from "./count.js";
import type { Tables } from "./tables.js";

const flagOf = (kind: SampleKind): number => (kind === "daily" ? 1 : 0);

export function createReadingSampleStore(db: Kysely<Tables>): ReadingSampleStore {
  return {
    async sampleReadings(kind, time, { seenSince, after, limit }) {
      const found = await db
        .selectFrom("devices")
        .select(["id", "readings", "rssi"])
        .where("readings", "is not", null)
        .where("last_seen", ">=", seenSince)
        .where("id", ">", after)
        .orderBy("id")
        .limit(limit)
        .execute();
      if (found.length === 0) return undefined;
      await db
        .insertInto("reading_samples")
        .values(
          found.map(({ id, readings, rssi }) => ({
            is_daily: flagOf(kind),
            device_id: id,
            time,
            readings: readings ?? "{}",
            rssi,
          })),
        )
        .onConflict((conflict) => conflict.columns(["device_id", "is_daily", "time"]).doNothing())
        .execute();
      return found.at(-1)?.id;
    },

    async findLastReadingTime() {
      const row = await db
        .selectFrom("reading_samples")
        .select("time")
        .where("is_daily", "=", 0)
        .orderBy("time", "desc")
        .limit(1)
        .executeTakeFirst();
      return row?.time;
    },

    countReadingSamples: () => countOf(db.selectFrom("reading_samples")),

    async listReadingSamples(kind, deviceId, since) {
      const rows = await db
        .selectFrom("reading_samples")
        .select(["time", "readings", "rssi"])
        .where("is_daily", "=", flagOf(kind))
        .where("device_id", "=", deviceId)
        .where("time", ">=", since)
        .orderBy("time")
        .execute();
      return rows.map(({ readings, ...rest }) => ({ ...rest, readings: JSON.parse(readings) as Readings }));
    },

    async pruneReadingSamples(kind, { before, limit }) {
      const isOf = sql<boolean>`is_daily = ${flagOf(kind)}`;
      const oldest = await db
        .selectFrom("reading_samples")
        .select("time")
        .where(isOf)
        .where("time", "<", before)
        .orderBy("time")
        .limit(1)
        .executeTakeFirst();
      if (!oldest) return 0;
      const some = db
        .selectFrom("reading_samples")
        .select("device_id")
        .where(isOf)
        .where("time", "=", oldest.time)
        .limit(limit);
      const { numDeletedRows } = await db
        .deleteFrom("reading_samples")
        .where(isOf)
        .where("time", "=", oldest.time)
        .where("device_id", "in", some)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}
