// Webhooks and their queue in SQL.

import type { Generated, Kysely, Selectable } from "kysely";
import type { Delivery, DeliveryState, Webhook, WebhookStore } from "../webhooks.js";
import { pageOf } from "./page.js";
import type { Tables } from "./tables.js";

export interface WebhookTable {
  id: Generated<number>;
  url: string;
  events: string;
  secret: string;
  description: string;
  is_active: number;
  created_at: number;
  updated_at: number;
}

export interface DeliveryTable {
  id: Generated<number>;
  webhook_id: number;
  message_id: string;
  kind: string;
  body: string;
  state: string;
  attempt_count: number;
  due_at: number;
  status_code: number | null;
  error: string | null;
  created_at: number;
  updated_at: number;
}

export const createWebhookStore = (db: Kysely<Tables>): WebhookStore => ({
  ...createTargets(db),
  ...createQueue(db),
});

type Targets = Pick<
  WebhookStore,
  "addWebhook" | "findWebhook" | "listWebhooks" | "changeWebhook" | "removeWebhook"
>;

function createTargets(db: Kysely<Tables>): Targets {
  return {
    async addWebhook(webhook) {
      const row = await db
        .insertInto("webhooks")
        .values({
          url: webhook.url,
          events: JSON.stringify(webhook.events),
          secret: webhook.secret,
          description: webhook.description,
          is_active: Number(webhook.isActive),
          created_at: webhook.createdAt,
          updated_at: webhook.createdAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toWebhook(row);
    },

    async findWebhook(id) {
      const row = await db.selectFrom("webhooks").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toWebhook(row);
    },

    async listWebhooks() {
      return (await db.selectFrom("webhooks").selectAll().orderBy("id").execute()).map(toWebhook);
    },

    async changeWebhook(id, changes, time) {
      const { url, events, secret, description, isActive } = changes;
      const row = await db
        .updateTable("webhooks")
        .set({
          updated_at: time,
          ...(url === undefined ? {} : { url }),
          ...(events === undefined ? {} : { events: JSON.stringify(events) }),
          ...(secret === undefined ? {} : { secret }),
          ...(description === undefined ? {} : { description }),
          ...(isActive === undefined ? {} : { is_active: Number(isActive) }),
        })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row && toWebhook(row);
    },

    async removeWebhook(id) {
      await db.deleteFrom("webhook_deliveries").where("webhook_id", "=", id).execute();
      await db.deleteFrom("webhooks").where("id", "=", id).execute();
    },
  };
}

function createQueue(db: Kysely<Tables>): Omit<WebhookStore, keyof Targets> {
  return {
    async addDelivery({ webhookId, messageId, kind, body, createdAt }) {
      const row = await db
        .insertInto("webhook_deliveries")
        .values({
          webhook_id: webhookId,
          message_id: messageId,
          kind,
          body,
          state: "pending",
          attempt_count: 0,
          due_at: createdAt,
          created_at: createdAt,
          updated_at: createdAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toDelivery(row);
    },

    async findDelivery(id) {
      const row = await db
        .selectFrom("webhook_deliveries")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row && toDelivery(row);
    },

    async listDeliveries(filter, page) {
      let query = db.selectFrom("webhook_deliveries").where("webhook_id", "=", filter.webhookId);
      if (filter.state !== undefined) query = query.where("state", "=", filter.state);
      return pageOf(query.selectAll().orderBy("id", "desc"), page, toDelivery);
    },

    async countDeliveries(webhookId) {
      const rows = await db
        .selectFrom("webhook_deliveries")
        .select(({ fn }) => ["state", fn.countAll<number>().as("count")])
        .where("webhook_id", "=", webhookId)
        .groupBy("state")
        .execute();
      const counts = { pending: 0, delivered: 0, given_up: 0, dropped: 0 };
      return Object.assign(counts, Object.fromEntries(rows.map(({ state, count }) => [state, count])));
    },

    async claimDeliveries(webhookId, now, leaseUntil, limit) {
      const due = db
        .selectFrom("webhook_deliveries")
        .select("id")
        .where("webhook_id", "=", webhookId)
        .where("state", "=", "pending")
        .where("due_at", "<=", now)
        .orderBy("due_at")
        .orderBy("id")
        .limit(limit);
      const rows = await db
        .updateTable("webhook_deliveries")
        .set((row) => ({
          due_at: leaseUntil,
          attempt_count: row("attempt_count", "+", 1),
          updated_at: now,
        }))
        .where("id", "in", due)
        // Once more: whoever waited here for another claim finds rows that are not due any more.
        .where("state", "=", "pending")
        .where("due_at", "<=", now)
        .returningAll()
        .execute();
      return rows.map(toDelivery).sort((a, b) => a.id - b.id);
    },

    async settleDelivery(id, leaseUntil, { state, dueAt, statusCode, error }, time) {
      const row = await db
        .updateTable("webhook_deliveries")
        .set({ state, due_at: dueAt, status_code: statusCode, error, updated_at: time })
        .where("id", "=", id)
        .where("state", "=", "pending")
        .where("due_at", "=", leaseUntil)
        .returningAll()
        .executeTakeFirst();
      return row && toDelivery(row);
    },

    async retryDelivery(id, time) {
      const row = await db
        .updateTable("webhook_deliveries")
        .set({ state: "pending", attempt_count: 0, due_at: time, updated_at: time })
        .where("id", "=", id)
        .where("state", "!=", "pending")
        .returningAll()
        .executeTakeFirst();
      return row && toDelivery(row);
    },

    async trimDeliveries(webhookId, { maxPendingCount, maxSettledCount }, time) {
      const own = db.selectFrom("webhook_deliveries").select("id").where("webhook_id", "=", webhookId);
      const { numUpdatedRows } = await db
        .updateTable("webhook_deliveries")
        .set({ state: "dropped", updated_at: time, error: `more than ${maxPendingCount} were waiting` })
        .where("webhook_id", "=", webhookId)
        .where("state", "=", "pending")
        .where(
          "id",
          "<=",
          own.where("state", "=", "pending").orderBy("id", "desc").limit(1).offset(maxPendingCount),
        )
        .executeTakeFirst();
      await db
        .deleteFrom("webhook_deliveries")
        .where("webhook_id", "=", webhookId)
        .where("state", "!=", "pending")
        .where(
          "id",
          "<=",
          own.where("state", "!=", "pending").orderBy("id", "desc").limit(1).offset(maxSettledCount),
        )
        .execute();
      return Number(numUpdatedRows);
    },
  };
}

const toWebhook = (row: Selectable<WebhookTable>): Webhook => ({
  id: row.id,
  url: row.url,
  events: JSON.parse(row.events) as string[],
  secret: row.secret,
  description: row.description,
  isActive: row.is_active !== 0,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const toDelivery = (row: Selectable<DeliveryTable>): Delivery => ({
  id: row.id,
  webhookId: row.webhook_id,
  messageId: row.message_id,
  kind: row.kind,
  body: row.body,
  state: row.state as DeliveryState,
  attemptCount: row.attempt_count,
  dueAt: row.due_at,
  statusCode: row.status_code,
  error: row.error,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
