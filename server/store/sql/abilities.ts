// Abilities of devices in SQL. Devices with the same firmware share a row for what they can do: kinds of order and settings with their limits.

import { hash } from "node:crypto";
import { type Kysely, sql } from "kysely";
import type { Abilities } from "../../../firmware/core/wire.js";
import type { AbilityStore } from "../abilities.js";
import { devicesThat } from "./devices.js";
import type { Tables } from "./tables.js";

export function createAbilityStore(db: Kysely<Tables>): AbilityStore {
  const setOf = (deviceId: string) =>
    db
      .selectFrom("device_abilities")
      .select("set_hash")
      .where("device_id", "=", deviceId)
      .executeTakeFirst()
      .then((row) => row?.set_hash);
  const dropUnused = async (setHash: string | undefined): Promise<void> => {
    if (setHash === undefined) return;
    await db
      .deleteFrom("ability_sets")
      .where("hash", "=", setHash)
      .where(({ not, exists, selectFrom }) =>
        not(exists(selectFrom("device_abilities").select("device_id").where("set_hash", "=", setHash))),
      )
      .execute();
  };
  return {
    async findAbilities(deviceId) {
      const row = await db
        .selectFrom("device_abilities as d")
        .innerJoin("ability_sets as s", "s.hash", "d.set_hash")
        .select(["d.digest", "d.setting_values", "d.told_at", "s.orders", "s.fields"])
        .where("d.device_id", "=", deviceId)
        .executeTakeFirst();
      return (
        row && {
          deviceId,
          digest: row.digest,
          ...readSet(row),
          values: JSON.parse(row.setting_values) as Abilities["values"],
          toldAt: row.told_at,
        }
      );
    },

    async putAbilities({ deviceId, digest, orders, fields, values, toldAt }) {
      const before = await setOf(deviceId);
      const set = { orders: JSON.stringify(orders), fields: JSON.stringify(fields) };
      const setHash = hash("sha256", `${set.orders}${set.fields}`, "base64url");
      await db
        .insertInto("ability_sets")
        .values({ hash: setHash, ...set })
        .onConflict((conflict) => conflict.column("hash").doNothing())
        .execute();
      const told = {
        digest,
        set_hash: setHash,
        setting_values: JSON.stringify(values),
        told_at: toldAt,
      };
      await db
        .insertInto("device_abilities")
        .values({ device_id: deviceId, ...told })
        .onConflict((conflict) => conflict.column("device_id").doUpdateSet(told))
        .execute();
      if (before !== setHash) await dropUnused(before);
    },

    async removeAbilities(deviceId) {
      const before = await setOf(deviceId);
      await db.deleteFrom("device_abilities").where("device_id", "=", deviceId).execute();
      await dropUnused(before);
    },

    async countAbilities({ filter, ids }) {
      let found = devicesThat(db, filter).select("devices.id");
      if (ids !== undefined) found = found.where("devices.id", "in", ids);
      const rows = await db
        .selectFrom("device_abilities as d")
        .innerJoin("ability_sets as s", "s.hash", "d.set_hash")
        .select(["s.orders", "s.fields", sql<number>`count(*)`.as("device_count")])
        .where("d.device_id", "in", found)
        .groupBy(["s.hash", "s.orders", "s.fields"])
        .orderBy("device_count", "desc")
        .execute();
      return rows.map((row) => ({ ...readSet(row), deviceCount: row.device_count }));
    },
  };
}

const readSet = ({ orders, fields }: { readonly orders: string; readonly fields: string }) => ({
  orders: JSON.parse(orders) as Abilities["orders"],
  fields: JSON.parse(fields) as Abilities["fields"],
});
