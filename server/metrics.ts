// What the server counts, in Prometheus' form. One registry a server: several servers in one process do not mix.

import { Counter, Gauge, Registry } from "prom-client";
import type { Live } from "./live.js";
import type { Store } from "./store/store.js";

export interface Metrics {
  readonly registry: Registry;
  readonly checks: Counter<"result">;
  readonly statusReports: Counter<"status">;
  readonly downloads: Counter<"kind">;
  readonly downloadBytes: Counter;
  readonly rateLimited: Counter;
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
      help: "Device requests refused for their rate",
      registers,
    }),
  };
}
