// Webhooks and deliveries as clients see them: without the secret, which is told once.

import { time } from "../shared/iso-time.js";
import type { Delivery, Webhook, WebhookStore } from "../store/webhooks.js";

/** @param deliveries how many there are in each state */
export const viewWebhook = <Counts>(webhook: Webhook, deliveries: Counts) => ({
  id: webhook.id,
  url: webhook.url,
  events: webhook.events,
  description: webhook.description,
  is_active: webhook.isActive,
  created_at: time(webhook.createdAt),
  updated_at: time(webhook.updatedAt),
  deliveries,
});

export const viewDelivery = (delivery: Delivery) => ({
  id: delivery.id,
  webhook_id: delivery.webhookId,
  message_id: delivery.messageId,
  kind: delivery.kind,
  state: delivery.state,
  attempt_count: delivery.attemptCount,
  /** When the next attempt may begin. */
  due_at: delivery.state === "pending" ? time(delivery.dueAt) : null,
  status_code: delivery.statusCode,
  error: delivery.error,
  created_at: time(delivery.createdAt),
  updated_at: time(delivery.updatedAt),
});

type Counts = Awaited<ReturnType<WebhookStore["countDeliveries"]>>;
export type WebhookView = ReturnType<typeof viewWebhook<Counts>>;
export type DeliveryView = ReturnType<typeof viewDelivery>;
