// Webhooks and deliveries as clients see them: without the secret, which is shown only once.

import { type Static, Type } from "@sinclair/typebox";
import type { Delivery } from "../store/webhooks.js";
import {
  boolean,
  dateTime,
  dateTimeOrNull,
  integer,
  integerOrNull,
  list,
  named,
  oneOf,
  text,
  textOrNull,
} from "./fields.js";
import { viewer } from "./view.js";

export const DELIVERY_STATES = ["pending", "delivered", "given_up", "dropped"] as const;

const fields = {
  id: integer(),
  url: text(),
  events: list(text("A kind such as update.failed; update.* is all with this prefix, * is all")),
  description: text(),
  is_active: boolean("false: nothing is sent"),
  created_at: dateTime(),
  updated_at: dateTime(),
};
export const WebhookView = named("Webhook", "Where events are sent", {
  ...fields,
  deliveries: Type.Object(
    { pending: integer(), delivered: integer(), given_up: integer(), dropped: integer() },
    { description: "Number in each state" },
  ),
});
export type WebhookView = Static<typeof WebhookView>;
export const viewWebhook = viewer(Type.Object(fields));

const secret = text("Signs what is sent; shown only now");
export const NewWebhookView = named("NewWebhook", "A webhook that was just added", {
  ...WebhookView.properties,
  secret,
});
export const ChangedWebhookView = named("ChangedWebhook", "A webhook, with its secret if that was renewed", {
  ...WebhookView.properties,
  secret: Type.Optional(secret),
});

export const DeliveryView = named("Delivery", "One event on its way to one webhook", {
  id: integer(),
  webhook_id: integer(),
  message_id: text("The same in every attempt, so that a receiver can detect duplicates"),
  kind: text("Of the event"),
  state: oneOf(
    DELIVERY_STATES,
    "given_up: too many failed attempts. dropped: the queue was full before its turn came",
  ),
  attempt_count: integer("Attempts that have begun"),
  due_at: dateTimeOrNull("When the next attempt may begin; null: there is none"),
  status_code: integerOrNull("HTTP status of the last attempt that got one"),
  error: textOrNull("Why the last attempt failed"),
  created_at: dateTime(),
  updated_at: dateTime(),
});
export type DeliveryView = Static<typeof DeliveryView>;
export const viewDelivery = viewer(DeliveryView, (delivery: Delivery) => ({
  ...delivery,
  dueAt: delivery.state === "pending" ? delivery.dueAt : null,
}));
