// Webhooks and their queue in SQL.

import { type Kysely, sql } from "kysely";
import { CLOCK_SKEW_MS } from "../clock.js";
import type { Delivery, Webhook, WebhookStore } from "../webhooks.js";
import { readFact } from "./fleet-facts.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const webhooks = tableOf<Webhook, "webhooks">("webhooks", { events: "json", isActive: "flag" });
const deliveries = tableOf<Delivery, "webhook_deliveries">("webhook_deliveries", {});

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
      const added = await webhooks.add(db, { ...webhook, updatedAt: webhook.createdAt });
      await forgetNoOpKeys(db);
      return added;
    },

    findWebhook: (id) => webhooks.find(db, { id }),

    // Asked at every event.
    listWebhooks: () => readFact(db, "webhooks", () => webhooks.list(webhooks.select(db).orderBy("id"))),

    async changeWebhook(id, changes, time) {
      const changed = await webhooks.change(db, { id }, { ...changes, updatedAt: time });
      await forgetNoOpKeys(db);
      return changed;
    },

    async removeWebhook(id) {
      await db.deleteFrom("webhook_deliveries").where("webhook_id", "=", id).execute();
      await db.deleteFrom("webhooks").where("id", "=", id).execute();
      await forgetNoOpKeys(db);
    },
  };
}

function createQueue(db: Kysely<Tables>): Omit<WebhookStore, keyof Targets> {
  return {
    addDelivery: ({ webhookId, messageId, kind, body, createdAt }) =>
      deliveries.add(db, {
        webhookId,
        messageId,
        kind,
        body,
        state: "pending",
        attemptCount: 0,
        dueAt: createdAt,
        createdAt,
        updatedAt: createdAt,
      }),

    findDelivery: (id) => deliveries.find(db, { id }),

    listDeliveries: (filter, page) =>
      deliveries.page(deliveries.select(db, filter).orderBy("id", "desc"), page),

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
      // The second: counted while a clock was ahead.
      const isDue = sql<boolean>`(due_at <= ${now} or updated_at > ${now + CLOCK_SKEW_MS})`;
      const due = db
        .selectFrom("webhook_deliveries")
        .select("id")
        .where("webhook_id", "=", webhookId)
        .where("state", "=", "pending")
        .where(isDue)
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
        // Again: a claim that waited for another one finds rows that are no longer due.
        .where("state", "=", "pending")
        .where(isDue)
        .returningAll()
        .execute();
      return rows.map(deliveries.toItem).sort((a, b) => a.id - b.id);
    },

    settleDelivery: (id, leaseUntil, outcome, time) =>
      deliveries.change(db, { id, state: "pending", dueAt: leaseUntil }, { ...outcome, updatedAt: time }),

    retryDelivery: (id, time) =>
      deliveries.first(
        db
          .updateTable("webhook_deliveries")
          .set({ state: "pending", attempt_count: 0, due_at: time, updated_at: time })
          .where("id", "=", id)
          .where("state", "!=", "pending")
          .returningAll(),
      ),

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
