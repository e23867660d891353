// Orders to devices in SQL.

import type { Kysely } from "kysely";
import type { OrderStore, StoredOrder } from "../orders.js";
import { forgetNoOpKey } from "./no-op-checks.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const orders = tableOf<StoredOrder, "device_orders">("device_orders", { settings: "json" });

export function createOrderStore(db: Kysely<Tables>): OrderStore {
  return {
    async addOrder(order) {
      const { deviceId, createdAt } = order;
      const last = await orders.first(orders.select(db, { deviceId }).orderBy("id", "desc").limit(1));
      const id = Math.max((last?.id ?? 0) + 1, Math.floor(createdAt / 1000), 1);
      const added = await orders.add(db, { ...order, id, state: "pending" });
      await forgetNoOpKey(db, deviceId);
      return added;
    },

    findOrder: (deviceId, id) => orders.find(db, { deviceId, id }),

    changeOrder: (deviceId, id, changes) => orders.change(db, { deviceId, id }, changes),

    listPendingOrders: (deviceId) =>
      orders.listSame(db, "in order", { deviceId, state: "pending" }, (all) => all.orderBy("id")),

    listOrders: (deviceId, limit) =>
      orders.list(orders.select(db, { deviceId }).orderBy("id", "desc").limit(limit)),

    listOverdueOrders: (time, limit) =>
      orders.list(
        orders
          .select(db, { state: "pending" })
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
