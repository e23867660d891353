// Labels of devices in SQL.

import { type Kysely, sql } from "kysely";
import { type DeviceLabels, NO_LABELS } from "../../shared/rollout.js";
import type { LabelCount, LabelStore } from "../labels.js";
import { forgetNoOpKey } from "./no-op-checks.js";
import { devicesOf } from "./of-types.js";
import { runStatement } from "./statement.js";
import type { Tables } from "./tables.js";

export function createLabelStore(db: Kysely<Tables>): LabelStore {
  return {
    async findLabels(deviceId) {
      const [row] = await runStatement(db, "find labels", { deviceId }, (slots) =>
        db.selectFrom("device_labels").selectAll().where("device_id", "=", slots.deviceId),
      );
      return row ? toLabels(row as never) : NO_LABELS;
    },

    async findLabelsOf(deviceIds) {
      if (deviceIds.length === 0) return new Map();
      const rows = await db
        .selectFrom("device_labels")
        .selectAll()
        .where("device_id", "in", deviceIds)
        .execute();
      return new Map(rows.map((row) => [row.device_id, toLabels(row)]));
    },

    async putLabels(deviceId, labels) {
      const tags = [...new Set(labels.tags)].sort();
      const row = { group_name: labels.group, pin: labels.pin, tags: JSON.stringify(tags) };
      await db
        .insertInto("device_labels")
        .values({ device_id: deviceId, ...row })
        .onConflict((conflict) => conflict.column("device_id").doUpdateSet(row))
        .execute();
      await forgetNoOpKey(db, deviceId);
      await db.deleteFrom("device_tags").where("device_id", "=", deviceId).execute();
      if (tags.length > 0) {
        await db
          .insertInto("device_tags")
          .values(tags.map((tag) => ({ device_id: deviceId, tag })))
          .execute();
      }
      return { tags, group: labels.group, pin: labels.pin };
    },

    async countLabels(deviceTypes) {
      const own = deviceTypes && devicesOf(db, deviceTypes);
      const tags = await db
        .selectFrom("device_tags")
        .$if(own !== undefined, (all) => all.where("device_id", "in", own!))
        .select(["tag as name", sql<number>`count(*)`.as("deviceCount")])
        .groupBy("tag")
        .orderBy("tag")
        .execute();
      const groups = await db
        .selectFrom("device_labels")
        .$if(own !== undefined, (all) => all.where("device_id", "in", own!))
        .select(["group_name as name", sql<number>`count(*)`.as("deviceCount")])
        .where("group_name", "is not", null)
        .groupBy("group_name")
        .orderBy("group_name")
        .execute();
      return { tags, groups: groups as readonly LabelCount[] };
    },
  };
}

const toLabels = (row: Tables["device_labels"]): DeviceLabels => ({
  tags: JSON.parse(row.tags) as string[],
  group: row.group_name,
  pin: row.pin,
});
