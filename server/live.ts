// Tells those who watch what has just been stored. In-process and forgetful: a watcher that comes late reads the store.

import type { Device, Firmware, LogEvent, Update } from "./store/store.js";

export type LiveMessage =
  | { readonly type: "device"; readonly device: Device }
  | { readonly type: "update"; readonly update: Update }
  | { readonly type: "firmware"; readonly firmware: Firmware }
  | { readonly type: "event"; readonly event: LogEvent };

export type Watcher = (message: LiveMessage) => void;

export class Live {
  readonly #watchers = new Set<Watcher>();

  get watcherCount(): number {
    return this.#watchers.size;
  }

  publish(messages: readonly LiveMessage[]): void {
    for (const message of messages) for (const watcher of this.#watchers) watcher(message);
  }

  /** Returns what ends the watching. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}
