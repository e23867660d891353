// What the store remembers of webhooks: where events go, and what is still to be delivered there.

import type { Page, Paged } from "./page.js";

/** Where events are sent. */
export interface Webhook {
  readonly id: number;
  /** `https://…` */
  readonly url: string;
  /** Kinds of events, `*` or a prefix such as `update.*`. */
  readonly events: readonly string[];
  /** What deliveries are signed with: keep it out of logs and answers. */
  readonly secret: string;
  readonly description: string;
  /** `false`: nothing is queued and nothing is sent. */
  readonly isActive: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type NewWebhook = Omit<Webhook, "id" | "updatedAt">;
type WebhookChanges = Partial<Pick<Webhook, "url" | "events" | "secret" | "description" | "isActive">>;

/**
 * `pending`: not there yet, and tried again. `given_up`: refused too often. `dropped`: the queue was full before its turn came.
 */
type DeliveryState = "pending" | "delivered" | "given_up" | "dropped";

/** One event on its way to one webhook. */
export interface Delivery {
  readonly id: number;
  readonly webhookId: number;
  /** The same in every attempt: by it a receiver knows what it has seen before. */
  readonly messageId: string;
  readonly kind: string;
  /** JSON, sent as it stands here. */
  readonly body: string;
  readonly state: DeliveryState;
  /** Attempts that were begun. */
  readonly attemptCount: number;
  /** When the next attempt may begin; while one is under way, when others may believe that it has died. */
  readonly dueAt: number;
  /** HTTP status of the last attempt that got one. */
  readonly statusCode: number | null;
  /** Why the last attempt failed. */
  readonly error: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export type NewDelivery = Pick<Delivery, "webhookId" | "messageId" | "kind" | "body" | "createdAt">;
export type DeliveryOutcome = Pick<Delivery, "state" | "dueAt" | "statusCode" | "error">;

interface DeliveryFilter {
  readonly webhookId: number;
  readonly state?: DeliveryState;
}

interface DeliveryBounds {
  /** Maximum number of pending deliveries; older ones are `dropped`. */
  readonly maxPendingCount: number;
  /** Maximum number of settled deliveries; older ones are removed. */
  readonly maxSettledCount: number;
}

export interface WebhookStore {
  addWebhook(webhook: NewWebhook): Promise<Webhook>;
  findWebhook(id: number): Promise<Webhook | undefined>;
  /** By id. */
  listWebhooks(): Promise<readonly Webhook[]>;
  changeWebhook(id: number, changes: WebhookChanges, time: number): Promise<Webhook | undefined>;
  /** And its deliveries. Removing what is not there is no error. */
  removeWebhook(id: number): Promise<void>;

  /** Queues as `pending`, due at once. */
  addDelivery(delivery: NewDelivery): Promise<Delivery>;
  findDelivery(id: number): Promise<Delivery | undefined>;
  /** Newest first. */
  listDeliveries(filter: DeliveryFilter, page: Page): Promise<Paged<Delivery>>;
  countDeliveries(webhookId: number): Promise<Readonly<Record<DeliveryState, number>>>;
  /**
   * Takes pending deliveries that are due, those that wait longest first, and begins an attempt: until `leaseUntil` no other caller
   * takes them. Of several who ask at once each gets others.
   */
  claimDeliveries(
    webhookId: number,
    now: number,
    leaseUntil: number,
    limit: number,
  ): Promise<readonly Delivery[]>;
  /** Ends the attempt that was begun with this lease. `undefined`: the lease had ended and another has taken it. */
  settleDelivery(
    id: number,
    leaseUntil: number,
    outcome: DeliveryOutcome,
    time: number,
  ): Promise<Delivery | undefined>;
  /** `pending` again, due at once, its attempts reset. `undefined`: it is not there, or pending anyway. */
  retryDelivery(id: number, time: number): Promise<Delivery | undefined>;
  /** Keeps the queue and the log of one webhook within bounds. Returns how many were dropped. */
  trimDeliveries(webhookId: number, bounds: DeliveryBounds, time: number): Promise<number>;
}
