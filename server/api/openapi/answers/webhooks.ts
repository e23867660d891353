// How routes about webhooks answer.

import { Type } from "@sinclair/typebox";
import type { DeliveryView, WebhookView } from "../../webhook-views.js";
import {
  type Answers,
  created,
  listed,
  listOf,
  named,
  ok,
  oneOf,
  optional,
  shapeOf,
  text,
  textOrNull,
  time,
  timeOrNull,
  whole,
  wholeOrNull,
  yes,
} from "./parts.js";

const Webhook = shapeOf<WebhookView>()("Webhook", "Where events are sent", {
  id: whole(),
  url: text(),
  events: Type.Array(text("A kind such as update.failed; update.* is all that begin so, * is all")),
  description: text(),
  is_active: yes("false: nothing is sent"),
  created_at: time(),
  updated_at: time(),
  deliveries: Type.Object(
    { pending: whole(), delivered: whole(), given_up: whole(), dropped: whole() },
    { description: "How many there are in each state" },
  ),
});
const Delivery = shapeOf<DeliveryView>()("Delivery", "One event on its way to one webhook", {
  id: whole(),
  webhook_id: whole(),
  message_id: text("The same in every attempt: by it a receiver knows what it has seen"),
  kind: text("Of the event"),
  state: oneOf(
    ["pending", "delivered", "given_up", "dropped"],
    "given_up: refused too often. dropped: the queue was full before its turn came",
  ),
  attempt_count: whole("Attempts that were begun"),
  due_at: timeOrNull("When the next attempt may begin; null: there is none"),
  status_code: wholeOrNull("HTTP status of the last attempt that got one"),
  error: textOrNull("Why the last attempt failed"),
  created_at: time(),
  updated_at: time(),
});
const secret = text("Signs what is sent; shown only now");

/** Of `/api/webhooks`. */
export const WEBHOOK_ANSWERS: Answers = Object.freeze({
  "GET /api/webhooks": ok(listed("webhooks", Webhook)),
  "POST /api/webhooks": created(
    named("NewWebhook", "A webhook that was just added", { ...Webhook.properties, secret }),
  ),
  "GET /api/webhooks/:id": ok(Webhook),
  "PATCH /api/webhooks/:id": ok(
    named("ChangedWebhook", "A webhook, with its secret if that was renewed", {
      ...Webhook.properties,
      secret: optional(secret),
    }),
  ),
  "DELETE /api/webhooks/:id": { 204: { description: "Removed" } },
  "POST /api/webhooks/:id/test": { 202: { description: "Queued", schema: Delivery } },
  "GET /api/webhooks/:id/deliveries": ok(listOf("deliveries", Delivery)),
  "POST /api/webhooks/:id/deliveries/:delivery_id/retry": ok(Delivery),
});
