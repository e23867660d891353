// Keeps the model up to date: loads everything when the live stream opens, then applies its messages. When the stream breaks, the browser
// reconnects, and everything is reloaded, so that nothing is missed.

import { onServer } from "./base.js";
import type { Change, Snapshot } from "./model.js";
import { ask } from "./session.js";

const LIVE_TYPES = ["device", "seen", "update", "firmware", "rollout", "event"] as const;
export type LiveType = (typeof LIVE_TYPES)[number];
const LIST_LENGTH = 500;
const LOG_LENGTH = 300;
const RETRY_MS = 5_000;

/** Listeners for changes of some kinds. */
export class Watchers {
  readonly #watchers = new Set<{ readonly types: readonly LiveType[]; readonly listener: () => void }>();

  readonly watch = (types: readonly LiveType[], listener: () => void): (() => void) => {
    const watcher = { types, listener };
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  };

  notify({ type }: Change): void {
    if (type === "broken") return;
    for (const { types, listener } of this.#watchers) {
      if (type === "loaded" || types.includes(type)) listener();
    }
  }
}

/** @returns what ends it */
export function followServer(take: (message: Change) => void): () => void {
  let source = follow();
  let again: ReturnType<typeof setTimeout> | undefined;

  function follow(): EventSource {
    const opened = openStream(take);
    opened.addEventListener("error", () => {
      // Refused rather than interrupted: the access may have expired while the computer slept, and is being renewed.
      if (opened.readyState !== EventSource.CLOSED) return;
      again = setTimeout(() => {
        source = follow();
      }, RETRY_MS);
    });
    return opened;
  }

  return () => {
    clearTimeout(again);
    source.close();
  };
}

function openStream(take: (message: Change) => void): EventSource {
  const source = new EventSource(onServer("/api/events/stream"));
  let waiting: Change[] | undefined;
  source.addEventListener("open", async () => {
    // Messages that arrive while the lists are loading are applied on top of them.
    const held: Change[] = [];
    waiting = held;
    try {
      take({ type: "loaded", snapshot: await loadSnapshot() });
      for (const message of held) take(message);
    } catch {
      take({ type: "broken" });
    }
    if (waiting === held) waiting = undefined;
  });
  source.addEventListener("error", () => take({ type: "broken" }));
  for (const type of LIVE_TYPES) {
    source.addEventListener(type, (message) => {
      const change = { type, [type]: JSON.parse(message.data) } as unknown as Change;
      if (waiting) waiting.push(change);
      else take(change);
    });
  }
  return source;
}

async function loadSnapshot(): Promise<Snapshot> {
  const [devices, logs, firmware, events] = await Promise.all([
    ask<Pick<Snapshot, "devices"> & { readonly online_seconds: number; readonly time: string }>(
      "GET",
      `/api/devices?limit=${LIST_LENGTH}`,
    ),
    ask<{ readonly logs: Snapshot["updates"] }>("GET", `/api/ota/admin/logs?limit=${LIST_LENGTH}`),
    ask<Pick<Snapshot, "firmware">>("GET", `/api/ota/admin/firmware?limit=${LIST_LENGTH}`),
    ask<Pick<Snapshot, "events">>("GET", `/api/events?limit=${LOG_LENGTH}`),
  ]);
  return {
    devices: devices.devices,
    updates: logs.logs,
    firmware: firmware.firmware,
    events: events.events,
    onlineSeconds: devices.online_seconds,
    clockOffsetMs: Date.parse(devices.time) - Date.now(),
  };
}
