// Updates in SQL.

import { type Generated, type Kysely, type Selectable, sql } from "kysely";
import type { UpdateStatus } from "../../../firmware/core/wire.js";
import { ENDED_BY_SERVER, type Update, type UpdateStore } from "../updates.js";
import { pageOf } from "./page.js";
import type { Tables } from "./tables.js";

const OPEN: readonly UpdateStatus[] = ["pending", "downloading", "installing"];

export interface UpdateTable {
  id: Generated<number>;
  device_id: string;
  firmware_id: number;
  status: string;
  step: string | null;
  from_version: string;
  from_build: number;
  bytes_downloaded: number;
  error_code: string | null;
  error_message: string | null;
  created_at: number;
  updated_at: number;
  finished_at: number | null;
}

export function createUpdateStore(db: Kysely<Tables>): UpdateStore {
  return {
    async addUpdate(update) {
      const row = await db
        .insertInto("updates")
        .values({
          device_id: update.deviceId,
          firmware_id: update.firmwareId,
          status: "pending",
          from_version: update.fromVersion,
          from_build: update.fromBuild,
          bytes_downloaded: 0,
          created_at: update.createdAt,
          updated_at: update.createdAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toUpdate(row);
    },

    async changeUpdate(id, changes, time) {
      const row = await db
        .updateTable("updates")
        .set({
          updated_at: time,
          ...(changes.status === undefined ? {} : { status: changes.status }),
          ...(changes.step === undefined ? {} : { step: changes.step }),
          ...(changes.bytesDownloaded === undefined ? {} : { bytes_downloaded: changes.bytesDownloaded }),
          ...(changes.errorCode === undefined ? {} : { error_code: changes.errorCode }),
          ...(changes.errorMessage === undefined ? {} : { error_message: changes.errorMessage }),
          ...(changes.finishedAt === undefined ? {} : { finished_at: changes.finishedAt }),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirstOrThrow();
      return toUpdate(row);
    },

    async findUpdate(id) {
      const row = await db.selectFrom("updates").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toUpdate(row);
    },

    async findOpenUpdate(deviceId) {
      const row = await db
        .selectFrom("updates")
        .selectAll()
        .where("device_id", "=", deviceId)
        .where("status", "in", OPEN)
        .executeTakeFirst();
      return row && toUpdate(row);
    },

    async countOpenUpdates() {
      const rows = await db
        .selectFrom("updates")
        .select(({ fn }) => ["status", fn.countAll<number>().as("count")])
        // In the words of the index `updates_open`, which then is all that is read.
        .where(sql<boolean>`status not in ('success', 'failed')`)
        .groupBy("status")
        .execute();
      return rows.map(({ status, count }) => ({ status: status as UpdateStatus, count }));
    },

    async findLastUpdate(deviceId, firmwareId) {
      const row = await db
        .selectFrom("updates")
        .selectAll()
        .where("device_id", "=", deviceId)
        .where("firmware_id", "=", firmwareId)
        .orderBy("id", "desc")
        .executeTakeFirst();
      return row && toUpdate(row);
    },

    async listUpdates(filter, page) {
      let query = db.selectFrom("updates");
      if (filter.deviceId !== undefined) query = query.where("device_id", "=", filter.deviceId);
      if (filter.firmwareId !== undefined) query = query.where("firmware_id", "=", filter.firmwareId);
      if (filter.status !== undefined) query = query.where("status", "=", filter.status);
      return pageOf(query.selectAll().orderBy("id", "desc"), page, toUpdate);
    },

    async countFailures(deviceId) {
      const rows = await db
        .selectFrom("updates as failed")
        .select(({ fn }) => [
          "failed.firmware_id as firmwareId",
          fn.countAll<number>().as("failedCount"),
          sql<number>`sum(case when failed.error_code = 'ROLLED_BACK' then 1 else 0 end)`.as(
            "rolledBackCount",
          ),
          fn.max("failed.updated_at").as("lastFailedAt"),
          sql<number | null>`max(case when failed.error_code = 'ROLLED_BACK' then failed.updated_at end)`.as(
            "lastRolledBackAt",
          ),
        ])
        .where("failed.device_id", "=", deviceId)
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
        .groupBy("failed.firmware_id")
        .execute();
      return rows;
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

const toUpdate = (row: Selectable<UpdateTable>): Update => ({
  id: row.id,
  deviceId: row.device_id,
  firmwareId: row.firmware_id,
  status: row.status as UpdateStatus,
  step: row.step,
  fromVersion: row.from_version,
  fromBuild: row.from_build,
  bytesDownloaded: row.bytes_downloaded,
  errorCode: row.error_code,
  errorMessage: row.error_message,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  finishedAt: row.finished_at,
});
