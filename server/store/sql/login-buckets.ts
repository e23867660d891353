// Buckets of sign-ins in SQL.

import { type Kysely, sql } from "kysely";
import type { LoginBucketStore } from "../login-buckets.js";
import type { Tables } from "./tables.js";

export function createLoginBucketStore(db: Kysely<Tables>): LoginBucketStore {
  return {
    async takeDrop(name, { burst, dropMs }, now) {
      const lastChance = now + (burst - 1) * dropMs;
      // One statement: a concurrent one waits for the row, and finds it changed.
      const taken = await db
        .insertInto("login_buckets")
        .values({ name, full_at: now + dropMs })
        .onConflict((conflict) =>
          conflict
            .column("name")
            .doUpdateSet({
              full_at: sql<number>`case when login_buckets.full_at > ${now} then login_buckets.full_at else ${now} end + ${dropMs}`,
            })
            .where("login_buckets.full_at", "<=", lastChance),
        )
        .returning("full_at")
        .executeTakeFirst();
      if (taken) return 0;
      const row = await db
        .selectFrom("login_buckets")
        .select("full_at")
        .where("name", "=", name)
        .executeTakeFirst();
      const emptiedNow = now + burst * dropMs;
      if (!row || row.full_at <= emptiedNow) return Math.max(1, (row?.full_at ?? now) - lastChance);
      // It was emptied while a clock was ahead.
      await db
        .updateTable("login_buckets")
        .set({ full_at: emptiedNow })
        .where("name", "=", name)
        .where("full_at", ">", emptiedNow)
        .execute();
      return dropMs;
    },

    async fillBucket(name) {
      await db.deleteFrom("login_buckets").where("name", "=", name).execute();
    },

    async pruneBuckets({ now, maxCount }) {
      const full = await db.deleteFrom("login_buckets").where("full_at", "<=", now).executeTakeFirst();
      const { count } = await db
        .selectFrom("login_buckets")
        .select((select) => select.fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      const surplus = Number(count) - maxCount;
      if (surplus <= 0) return Number(full.numDeletedRows);
      const soonest = db
        .selectFrom("login_buckets")
        .select("name")
        .orderBy("full_at")
        .orderBy("name")
        .limit(surplus);
      const cut = await db.deleteFrom("login_buckets").where("name", "in", soonest).executeTakeFirst();
      return Number(full.numDeletedRows + cut.numDeletedRows);
    },
  };
}
