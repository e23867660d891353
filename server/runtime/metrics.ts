// What the server counts, in Prometheus' form. One registry a server: several servers in one process do not mix.

import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Live, LiveMessage } from "../events/live.js";
import type { Store } from "../store/store.js";

export interface Metrics {
  readonly registry: Registry;
  readonly checks: Counter<"result">;
  readonly statusReports: Counter<"status">;
  readonly downloads: Counter<"kind">;
  readonly downloadBytes: Counter;
  readonly rateLimited: Counter<"limit">;
  readonly refusedConnections: Counter<"reason">;
  /** Sets the source of the number of open connections. */
  watchConnections(count: () => number): void;
  readonly httpDuration: Histogram<"method" | "route" | "status">;
  readonly webhookDeliveries: Counter<"outcome">;
  readonly mqttLost: Counter;
}

export function createMetrics(store: Store, live: Live, now: () => number, onlineMs: number): Metrics {
  const registry = new Registry();
  const registers = [registry];
  new Gauge({
    name: "skyslot_devices",
    help: "Devices that have registered, by whether they were seen lately",
    labelNames: ["state"],
    registers,
    async collect() {
      const online = await store.countDevicesSeenSince(now() - onlineMs);
      this.set({ state: "online" }, online);
      this.set({ state: "offline" }, (await store.countDevices()) - online);
    },
  });
  new Gauge({
    name: "skyslot_watchers",
    help: "Open live event streams",
    registers,
    collect() {
      this.set(live.watcherCount);
    },
  });
  new Gauge({
    name: "skyslot_attempts_open",
    help: "Attempts under way, by status",
    labelNames: ["status"],
    registers,
    async collect() {
      for (const status of OPEN) this.set({ status }, 0);
      for (const { status, count } of await store.countOpenUpdates()) this.set({ status }, count);
    },
  });
  const attempts = new Counter({
    name: "skyslot_attempts_total",
    help: "How attempts ended: success, failed (roll backs left out) or rolled_back",
    labelNames: ["result"],
    registers,
  });
  live.watchOwn({
    message: (message) => {
      const result = resultOf(message);
      if (result) attempts.inc({ result });
    },
  });
  return {
    registry,
    checks: new Counter({
      name: "skyslot_checks_total",
      help: "Checks answered",
      labelNames: ["result"],
      registers,
    }),
    statusReports: new Counter({
      name: "skyslot_status_reports_total",
      help: "Status reports taken, by the status of the attempt afterwards",
      labelNames: ["status"],
      registers,
    }),
    downloads: new Counter({
      name: "skyslot_downloads_total",
      help: "Downloads begun",
      labelNames: ["kind"],
      registers,
    }),
    downloadBytes: new Counter({ name: "skyslot_download_bytes_total", help: "Image bytes sent", registers }),
    rateLimited: new Counter({
      name: "skyslot_rate_limited_total",
      help: "Requests refused for their rate: of a device, of an address, of new devices from an address",
      labelNames: ["limit"],
      registers,
    }),
    refusedConnections: new Counter({
      name: "skyslot_connections_refused_total",
      help: "Connections refused because there were too many (all, address), or ended because they were slow (slow_…)",
      labelNames: ["reason"],
      registers,
    }),
    watchConnections(count) {
      new Gauge({
        name: "skyslot_connections",
        help: "Open connections",
        registers,
        collect() {
          this.set(count());
        },
      });
    },
    httpDuration: new Histogram({
      name: "skyslot_http_request_duration_seconds",
      help: "From the request's head to the end of its answer; live streams left out",
      labelNames: ["method", "route", "status"],
      buckets: DURATION_BUCKETS,
      registers,
    }),
    webhookDeliveries: new Counter({
      name: "skyslot_webhook_attempts_total",
      help: "Attempts to deliver to webhooks, by outcome, and deliveries dropped from a full queue",
      labelNames: ["outcome"],
      registers,
    }),
    mqttLost: new Counter({
      name: "skyslot_mqtt_lost_total",
      help: "Messages that the MQTT broker never got",
      registers,
    }),
  };
}

/** Seconds: a check from memory up to a download over a bad line. */
const DURATION_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60, 300];
const OPEN = Object.freeze(["pending", "downloading", "installing"] as const);

function resultOf(message: LiveMessage): string | undefined {
  if (message.type !== "event") return undefined;
  switch (message.event.kind) {
    case "update.success":
      return "success";
    case "update.failed":
      return message.event.detail?.error_code === "ROLLED_BACK" ? "rolled_back" : "failed";
    default:
      return undefined;
  }
}
