// Orders to devices in SQL.

import type { Kysely } from "kysely";
import type { OrderStore, StoredOrder } from "../orders.js";
import { forgetNoOpKey } from "./no-op-checks.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const orders = tableOf<StoredOrder, "device_orders">("device_orders", { settings: "json" });

export function createOrderStore(db: Kysely<Tables>): OrderStore {
  const of = (deviceId: string) =>
    db.selectFrom("device_orders").selectAll().where("device_id", "=", deviceId);
  return {
    async addOrder({ deviceId, kind, settings, orderedBy, createdAt, expiresAt }) {
      const last = await of(deviceId).orderBy("id", "desc").limit(1).executeTakeFirst();
      const id = Math.max((last?.id ?? 0) + 1, Math.floor(createdAt / 1000), 1);
      const row = await db
        .insertInto("device_orders")
        .values(
          orders.toRow({ deviceId, id, kind, settings, state: "pending", orderedBy, createdAt, expiresAt }),
        )
        .returningAll()
        .executeTakeFirstOrThrow();
      await forgetNoOpKey(db, deviceId);
      return orders.toItem(row);
    },

    findOrder: (deviceId, id) => orders.first(of(deviceId).where("id", "=", id)),

    changeOrder: (deviceId, id, changes) => orders.change(db, { deviceId, id }, changes),

    listPendingOrders: (deviceId) => orders.all(of(deviceId).where("state", "=", "pending").orderBy("id")),

    listOrders: (deviceId, limit) => orders.all(of(deviceId).orderBy("id", "desc").limit(limit)),

    listOverdueOrders: (time, limit) =>
      orders.all(
        db
          .selectFrom("device_orders")
          .selectAll()
          .where("state", "=", "pending")
          .where("expires_at", "<=", time)
          .orderBy("expires_at")
          .limit(limit),
      ),

    async pruneOrders({ before, limit }) {
      const old = await db
        .selectFrom("device_orders")
        .select(["device_id", "id"])
        .where("ended_at", "<", before)
        .orderBy("ended_at")
        .limit(limit)
        .execute();
      if (old.length === 0) return 0;
      await db
        .deleteFrom("device_orders")
        .where(({ or, and }) => or(old.map((one) => and(one))))
        .execute();
      return old.length;
    },
  };
}
