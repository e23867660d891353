// The fleet as a whole in SQL.

import { type Kysely, sql } from "kysely";
import type { FleetStore } from "../version-history.js";
import type { Tables } from "./tables.js";

const DAY_MS = 24 * 60 * 60_000;

export function createFleetStore(db: Kysely<Tables>): FleetStore {
  const counted = () =>
    db
      .selectFrom("devices")
      .select(["type as deviceType", "version", sql<number>`count(*)`.as("deviceCount")])
      .groupBy(["type", "version"])
      .orderBy("type")
      .orderBy("version");

  return {
    countVersions: () => counted().execute(),

    async sampleVersions(time) {
      const rows = await counted().execute();
      if (rows.length === 0) return;
      await db
        .insertInto("version_samples")
        .values(
          rows.map(({ deviceType, version, deviceCount }) => ({
            time,
            device_type: deviceType,
            version,
            device_count: deviceCount,
          })),
        )
        .onConflict((conflict) => conflict.columns(["time", "device_type", "version"]).doNothing())
        .execute();
    },

    async findLastSampleTime() {
      const row = await db
        .selectFrom("version_samples")
        .select("time")
        .orderBy("time", "desc")
        .limit(1)
        .executeTakeFirst();
      return row?.time;
    },

    async listVersionSamples(since, deviceType) {
      let query = db
        .selectFrom("version_samples")
        .select(["time", "device_type as deviceType", "version", "device_count as deviceCount"])
        .where("time", ">=", since);
      if (deviceType !== undefined) query = query.where("device_type", "=", deviceType);
      return query.orderBy("time").orderBy("device_type").orderBy("version").execute();
    },

    async pruneVersionSamples({ thinBefore, removeBefore }) {
      const isFirst = sql`time = (select min(s.time) from version_samples s
        where s.time >= version_samples.time - version_samples.time % ${sql.lit(DAY_MS)})`;
      await db
        .deleteFrom("version_samples")
        .where((where) =>
          where.or([
            where("time", "<", removeBefore),
            where.and([where("time", "<", thinBefore), where.not(sql<boolean>`${isFirst}`)]),
          ]),
        )
        .execute();
    },
  };
}
