// Orders to devices in SQL.

import type { Kysely, Selectable } from "kysely";
import type { OrderKind } from "../../../firmware/core/wire.js";
import type { OrderState, OrderStore, StoredOrder } from "../orders.js";
import { forgetNoOpKey } from "./no-op-checks.js";
import type { Tables } from "./tables.js";

export interface OrderTable {
  device_id: string;
  id: number;
  kind: string;
  settings: string | null;
  state: string;
  reason: string | null;
  ordered_by: string;
  created_at: number;
  expires_at: number;
  sent_at: number | null;
  ended_at: number | null;
}

export function createOrderStore(db: Kysely<Tables>): OrderStore {
  const of = (deviceId: string) =>
    db.selectFrom("device_orders").selectAll().where("device_id", "=", deviceId);
  return {
    async addOrder({ deviceId, kind, settings, orderedBy, createdAt, expiresAt }) {
      const last = await of(deviceId).orderBy("id", "desc").limit(1).executeTakeFirst();
      const row = await db
        .insertInto("device_orders")
        .values({
          device_id: deviceId,
          id: Math.max((last?.id ?? 0) + 1, Math.floor(createdAt / 1000), 1),
          kind,
          settings: settings && JSON.stringify(settings),
          state: "pending",
          reason: null,
          ordered_by: orderedBy,
          created_at: createdAt,
          expires_at: expiresAt,
          sent_at: null,
          ended_at: null,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await forgetNoOpKey(db, deviceId);
      return toOrder(row);
    },

    async findOrder(deviceId, id) {
      const row = await of(deviceId).where("id", "=", id).executeTakeFirst();
      return row && toOrder(row);
    },

    async changeOrder(deviceId, id, { state, reason, sentAt, endedAt }) {
      const row = await db
        .updateTable("device_orders")
        .set({
          ...(state === undefined ? {} : { state }),
          ...(reason === undefined ? {} : { reason }),
          ...(sentAt === undefined ? {} : { sent_at: sentAt }),
          ...(endedAt === undefined ? {} : { ended_at: endedAt }),
        })
        .where("device_id", "=", deviceId)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row && toOrder(row);
    },

    async listPendingOrders(deviceId) {
      return (await of(deviceId).where("state", "=", "pending").orderBy("id").execute()).map(toOrder);
    },

    async listOrders(deviceId, limit) {
      return (await of(deviceId).orderBy("id", "desc").limit(limit).execute()).map(toOrder);
    },

    async listOverdueOrders(time, limit) {
      const rows = await db
        .selectFrom("device_orders")
        .selectAll()
        .where("state", "=", "pending")
        .where("expires_at", "<=", time)
        .orderBy("expires_at")
        .limit(limit)
        .execute();
      return rows.map(toOrder);
    },

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

const toOrder = (row: Selectable<OrderTable>): StoredOrder => ({
  deviceId: row.device_id,
  id: row.id,
  kind: row.kind as OrderKind,
  settings: row.settings === null ? null : JSON.parse(row.settings),
  state: row.state as OrderState,
  reason: row.reason,
  orderedBy: row.ordered_by,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  sentAt: row.sent_at,
  endedAt: row.ended_at,
});
