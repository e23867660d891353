// Sends watchers what has just been stored: in this process, and through a relay in every other that shares the store. Nothing is
// kept: a watcher that comes late reads the store.

import type { Rollout } from "../shared/rollout.js";
import type { Device, Firmware, LogEvent, Update } from "../store/store.js";

export type LiveMessage =
  | { readonly type: "device"; readonly device: Device }
  | { readonly type: "seen"; readonly seen: readonly Seen[] }
  | { readonly type: "update"; readonly update: Update }
  | { readonly type: "firmware"; readonly firmware: Firmware }
  | { readonly type: "rollout"; readonly rollout: Rollout }
  | { readonly type: "event"; readonly event: LogEvent };

/** A device that is as it was. */
export type Seen = Pick<Device, "id" | "lastSeen" | "freeHeap" | "rssi" | "uptimeSeconds" | "readings">;

export interface Watcher {
  message(message: LiveMessage): void;
  /** Messages may have been lost: what is shown has to be read again. */
  gap?(): void;
}

/** Carries messages between the processes that share one store. */
export interface Relay {
  /** To all others. Never fails: what cannot be sent is a gap for them. */
  send(messages: readonly LiveMessage[]): void;
  /** Calls the watcher with what others send. Once. */
  receive(watcher: Required<Watcher>): void;
  close(): Promise<void>;
}

export class Live {
  readonly #watchers = new Set<Watcher>();
  readonly #ownWatchers = new Set<Watcher>();
  readonly #relay: Relay | undefined;

  constructor(relay?: Relay) {
    this.#relay = relay;
    relay?.receive({
      message: (message) => this.#tell(message),
      gap: () => {
        for (const watcher of this.#watchers) watcher.gap?.();
      },
    });
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  /** Whether there may be watchers, here or at another server. */
  get isWatched(): boolean {
    return this.#watchers.size > 0 || this.#relay !== undefined;
  }

  publish(messages: readonly LiveMessage[]): void {
    for (const message of messages) {
      this.#tell(message);
      for (const watcher of this.#ownWatchers) watcher.message(message);
    }
    this.#relay?.send(messages);
  }

  /** Returns what ends the watching. */
  watch(watcher: Watcher): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Watches what this process has stored, and nothing that others send. */
  watchOwn(watcher: Pick<Watcher, "message">): () => void {
    this.#ownWatchers.add(watcher);
    return () => this.#ownWatchers.delete(watcher);
  }

  #tell(message: LiveMessage): void {
    for (const watcher of this.#watchers) watcher.message(message);
  }
}
