// What a running server does beside answering: it delivers webhooks, publishes to MQTT, measures its process, renews its
// certificate. Everything with a timer or a connection of its own begins and ends here.

import type { Server } from "node:http";
import type { FastifyBaseLogger } from "fastify";
import { collectDefaultMetrics } from "prom-client";
import type { Context } from "./api/context.js";
import { type MqttOptions, startMqtt } from "./events/mqtt.js";
import { WebhookDeliverer } from "./events/webhooks/deliverer.js";
import { createPost } from "./events/webhooks/post.js";
import type { Certificate } from "./runtime/tls.js";

interface BackgroundOptions {
  readonly log?: FastifyBaseLogger | undefined;
  /** Absent: nothing is published. */
  readonly mqtt?: MqttOptions | undefined;
  /** Of `server`; absent: it speaks plain HTTP. */
  readonly certificate?: Certificate | undefined;
  readonly server: Server;
}

export interface Background {
  close(): Promise<void>;
}

const TICK_MS = 1_000;
const CERTIFICATE_CHECK_MS = 10_000;
/** Of one attempt to deliver. Shorter than the lease of a delivery. */
const DELIVERY_TIMEOUT_MS = 10_000;

export function startBackground(context: Context, options: BackgroundOptions): Background {
  const { log, mqtt, certificate, server } = options;
  const { store, live, now, metrics } = context;
  collectDefaultMetrics({ register: metrics.registry });
  const deliverer = new WebhookDeliverer({
    store,
    live,
    now,
    random: Math.random,
    post: createPost({ timeoutMs: DELIVERY_TIMEOUT_MS }),
    onOutcome: (outcome, count) => metrics.webhookDeliveries.inc({ outcome }, count),
  });
  const stopDelivering = every(TICK_MS, () => deliverer.tick(), {
    onTrouble: (err) => log?.error({ err }, "webhooks could not be delivered"),
  });
  const onLost = (count: number) => metrics.mqttLost.inc(count);
  const publisher = mqtt && startMqtt({ store, live, onLost }, mqtt, log);
  const stopRenewing =
    certificate &&
    every(CERTIFICATE_CHECK_MS, () => certificate.renew(server), {
      onTrouble: (err) => log?.error({ err }, "the old certificate stays in use"),
    });
  return {
    async close() {
      deliverer.stop();
      await Promise.all([stopDelivering(), stopRenewing?.(), publisher?.close()]);
    },
  };
}

/** Runs work again and again, though an earlier run may still be under way. What it returns ends that and waits for the runs. */
function every(
  intervalMs: number,
  work: () => Promise<void>,
  { onTrouble }: { readonly onTrouble: (error: unknown) => void },
): () => Promise<void> {
  const running = new Set<Promise<void>>();
  const timer = setInterval(() => {
    const run = work()
      .catch(onTrouble)
      .finally(() => running.delete(run));
    running.add(run);
  }, intervalMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await Promise.all(running);
  };
}
