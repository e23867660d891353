// Delivers what is queued to the webhooks, at least once. It has no timer: the server calls `tick`. Any number of servers may do so on
// one store: each delivery is leased by the server that attempts it, and is free again when that server has died.

import type { Delivery, DeliveryOutcome, Store, Webhook } from "../../store/store.js";
import { record } from "../journal.js";
import type { Live } from "../live.js";
import type { Post } from "./post.js";
import { delayAfter } from "./schedule.js";
import { signMessage } from "./signature.js";

interface DelivererOptions {
  readonly store: Store;
  readonly live: Live;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Numbers in [0, 1). */
  readonly random: () => number;
  readonly post: Post;
  /** Called at the end of every attempt. */
  readonly onOutcome?: (outcome: "delivered" | "failed" | "given_up" | "dropped", count: number) => void;
}

/** Deliveries to one webhook that are under way at once, in one server. */
const BATCH_SIZE = 8;
/** Longer than any attempt takes: see the timeout in background.ts. */
export const LEASE_MS = 60_000;
/** How long one tick goes on: the next one sees what was changed of the webhook. */
const MAX_TICK_MS = 5_000;
const TRIM_INTERVAL_MS = 60_000;
const BOUNDS = Object.freeze({ maxPendingCount: 10_000, maxSettledCount: 1000 });
const MAX_ERROR_LENGTH = 200;
/** The receiver says that it will never want deliveries again. */
const GONE = 410;

export class WebhookDeliverer {
  readonly #options: DelivererOptions;
  /** Webhooks that an earlier tick is still busy with. */
  readonly #busy = new Set<number>();
  #trimmedAt = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(options: DelivererOptions) {
    this.#options = options;
  }

  /** Attempts what is due. Resolves when the attempts that it began have ended; a slow webhook does not keep others waiting. */
  async tick(): Promise<void> {
    const { store, now } = this.#options;
    const webhooks = await store.listWebhooks();
    await this.#trim(webhooks);
    const idle = webhooks.filter(({ id, isActive }) => isActive && !this.#busy.has(id));
    const ends = await Promise.allSettled(idle.map((webhook) => this.#drain(webhook, now())));
    const failed = ends.find((end) => end.status === "rejected");
    if (failed) throw failed.reason;
  }

  /** What is under way is ended, nothing more is begun. */
  stop(): void {
    this.#isStopped = true;
  }

  async #drain(webhook: Webhook, startedAt: number): Promise<void> {
    this.#busy.add(webhook.id);
    try {
      let isGoingOn = true;
      while (isGoingOn && !this.#isStopped) {
        const { store, now } = this.#options;
        const time = Math.round(now());
        const batch = await store.claimDeliveries(webhook.id, time, time + LEASE_MS, BATCH_SIZE);
        const succeeded = await Promise.all(batch.map((delivery) => this.#attempt(webhook, delivery)));
        // A webhook that fails waits for the next tick.
        isGoingOn =
          batch.length === BATCH_SIZE && succeeded.every(Boolean) && now() - startedAt < MAX_TICK_MS;
      }
    } finally {
      this.#busy.delete(webhook.id);
    }
  }

  async #attempt(webhook: Webhook, delivery: Delivery): Promise<boolean> {
    const { store, now, onOutcome } = this.#options;
    const outcome = await this.#send(webhook, delivery);
    const settled = await store.settleDelivery(delivery.id, delivery.dueAt, outcome, Math.round(now()));
    if (settled) onOutcome?.(outcome.state === "pending" ? "failed" : outcome.state, 1);
    if (settled?.state === "given_up") await this.#tellGivenUp(webhook, settled);
    return outcome.state === "delivered";
  }

  async #send({ url, secret }: Webhook, delivery: Delivery): Promise<DeliveryOutcome> {
    const { post, now } = this.#options;
    const headers = {
      "content-type": "application/json; charset=utf-8",
      "user-agent": "skyslot-webhooks",
      ...signMessage(secret, delivery.messageId, now(), delivery.body),
    };
    try {
      const { status } = await post(url, headers, delivery.body);
      if (status >= 200 && status < 300)
        return { state: "delivered", dueAt: Math.round(now()), statusCode: status, error: null };
      return this.#failed(delivery, status, `answered ${status}`);
    } catch (error) {
      return this.#failed(delivery, null, error instanceof Error ? error.message : String(error));
    }
  }

  #failed(delivery: Delivery, statusCode: number | null, error: string): DeliveryOutcome {
    const { now, random } = this.#options;
    const delayMs = statusCode === GONE ? undefined : delayAfter(delivery.attemptCount, random);
    return {
      state: delayMs === undefined ? "given_up" : "pending",
      dueAt: Math.round(now() + (delayMs ?? 0)),
      statusCode,
      error: error.slice(0, MAX_ERROR_LENGTH),
    };
  }

  async #tellGivenUp(webhook: Webhook, delivery: Delivery): Promise<void> {
    await record(this.#options, (journal) =>
      journal.log({
        kind: "webhook.given_up",
        message: `webhook ${webhook.id} (${new URL(webhook.url).host}) did not take ${delivery.kind} in ${delivery.attemptCount} attempts: ${delivery.error}`,
        detail: { webhook_id: webhook.id, delivery_id: delivery.id, status_code: delivery.statusCode },
      }),
    );
  }

  async #trim(webhooks: readonly Webhook[]): Promise<void> {
    const { store, now, onOutcome } = this.#options;
    const time = Math.round(now());
    if (Math.abs(time - this.#trimmedAt) < TRIM_INTERVAL_MS) return;
    this.#trimmedAt = time;
    for (const { id } of webhooks) {
      const droppedCount = await store.trimDeliveries(id, BOUNDS, time);
      if (droppedCount > 0) onOutcome?.("dropped", droppedCount);
    }
  }
}
