// Updates in SQL.

import { type Kysely, sql } from "kysely";
import type { UpdateStatus } from "../../../firmware/core/wire.js";
import { CAME_BACK, ENDED_BY_SERVER, type FailureCount, type Update, type UpdateStore } from "../updates.js";
import { firmwareOf } from "./of-types.js";
import { runStatement } from "./statement.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const OPEN: readonly UpdateStatus[] = ["pending", "downloading", "installing"];

const updates = tableOf<Update, "updates">("updates", {});

export function createUpdateStore(db: Kysely<Tables>): UpdateStore {
  return {
    addUpdate: ({ deviceId, firmwareId, fromVersion, fromBuild, createdAt }) =>
      updates.add(db, {
        deviceId,
        firmwareId,
        fromVersion,
        fromBuild,
        status: "pending",
        bytesDownloaded: 0,
        sentCount: 0,
        createdAt,
        updatedAt: createdAt,
      }),

    async changeUpdate(id, changes, time) {
      const changed = await updates.change(db, { id }, { ...changes, updatedAt: time });
      if (!changed) throw new Error(`update ${id} does not exist`);
      return changed;
    },

    findUpdate: (id) => updates.find(db, { id }),

    findOpenUpdate: async (deviceId) =>
      (await updates.listSame(db, "open", { deviceId }, (all) => all.where("status", "in", OPEN)))[0],

    async countOpenUpdates() {
      const rows = await db
        .selectFrom("updates")
        .select(({ fn }) => ["status", fn.countAll<number>().as("count")])
        // In the words of the index `updates_open`, which then is all that is read.
        .where(sql<boolean>`status not in ('success', 'failed')`)
        .groupBy("status")
        .execute();
      return rows;
    },

    findLastUpdate: async (deviceId, firmwareId) =>
      (
        await updates.listSame(db, "last", { deviceId, firmwareId }, (all) =>
          all.orderBy("id", "desc").limit(1),
        )
      )[0],

    findLastBegunUpdate: async (deviceId) =>
      (
        await updates.listSame(db, "last begun", { deviceId }, (all) =>
          all.where("step", "is not", null).orderBy("id", "desc").limit(1),
        )
      )[0],

    listUpdates({ deviceTypes, ...filter }, page) {
      const all = updates.select(db, filter);
      const some = deviceTypes ? all.where("firmware_id", "in", firmwareOf(db, deviceTypes)) : all;
      return updates.page(some.orderBy("id", "desc"), page);
    },

    async listDevicesWithUpdates(after, limit) {
      const rows = await db
        .selectFrom("updates")
        .select("device_id")
        .distinct()
        .where("device_id", ">", after)
        .orderBy("device_id")
        .limit(limit)
        .execute();
      return rows.map(({ device_id }) => device_id);
    },

    async countFailures(deviceId) {
      const rows = await runStatement(db, "count failures", { deviceId }, (slots) =>
        db
          .selectFrom("updates as failed")
          .select(({ fn }) => [
            "failed.firmware_id as firmwareId",
            fn.countAll<number>().as("failedCount"),
            sql<number>`sum(case when failed.error_code = 'ROLLED_BACK' then 1 else 0 end)`.as(
              "rolledBackCount",
            ),
            fn.max("failed.updated_at").as("lastFailedAt"),
            sql<
              number | null
            >`max(case when failed.error_code in (${sql.join(CAME_BACK)}) then failed.updated_at end)`.as(
              "lastRolledBackAt",
            ),
          ])
          .where("failed.device_id", "=", slots.deviceId)
          .where("failed.status", "=", "failed")
          .where(({ eb, or }) =>
            or([eb("failed.error_code", "is", null), eb("failed.error_code", "not in", ENDED_BY_SERVER)]),
          )
          .where(({ not, exists, selectFrom }) =>
            not(
              exists(
                selectFrom("updates as later")
                  .select("later.id")
                  .whereRef("later.device_id", "=", "failed.device_id")
                  .whereRef("later.firmware_id", "=", "failed.firmware_id")
                  .where("later.status", "=", "success")
                  .whereRef("later.id", ">", "failed.id"),
              ),
            ),
          )
          .groupBy("failed.firmware_id"),
      );
      return rows as unknown as readonly FailureCount[];
    },

    async pruneUpdates({ before, limit }) {
      const old = await db
        .selectFrom("updates as old")
        .select("old.id")
        .where("old.finished_at", "<", before)
        .where("old.status", "in", ["success", "failed"])
        .where(({ exists, selectFrom }) =>
          exists(
            selectFrom("updates as later")
              .select("later.id")
              .whereRef("later.device_id", "=", "old.device_id")
              .where("later.status", "=", "success")
              .whereRef("later.id", ">", "old.id"),
          ),
        )
        .orderBy("old.id")
        .limit(limit)
        .execute();
      const ids = old.map(({ id }) => id);
      if (ids.length > 0) await db.deleteFrom("updates").where("id", "in", ids).execute();
      return ids.length;
    },
  };
}
