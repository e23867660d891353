// Which webhooks an event goes to. Queued in the transaction that writes the event: both are kept, or neither.

import { randomUUID } from "node:crypto";
import type { LogEvent, Store, Webhook } from "../../store/store.js";
import { viewEvent } from "../event-view.js";

/** Events about webhooks themselves are delivered nowhere: one about a failed delivery would fail like it. */
const OWN_KINDS = "webhook.";

export async function queueEvent(store: Store, event: LogEvent): Promise<void> {
  if (event.kind.startsWith(OWN_KINDS)) return;
  for (const webhook of await store.listWebhooks()) {
    if (webhook.isActive && isSubscribed(webhook, event.kind)) await queueMessage(store, webhook.id, event);
  }
}

/** For one webhook, whether it is subscribed or not. */
export function queueMessage(store: Store, webhookId: number, event: LogEvent) {
  const data = viewEvent(event);
  return store.addDelivery({
    webhookId,
    messageId: randomUUID(),
    kind: event.kind,
    body: JSON.stringify({ type: event.kind, timestamp: data.time, data }),
    createdAt: event.time,
  });
}

/** `*` is every kind, `update.*` every kind that begins with `update.`. */
export const isSubscribed = ({ events }: Pick<Webhook, "events">, kind: string): boolean =>
  events.some((pattern) =>
    pattern.endsWith("*") ? kind.startsWith(pattern.slice(0, -1)) : pattern === kind,
  );
