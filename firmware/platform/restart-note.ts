// Why the firmware restarts the chip, kept for the next boot. In NVS and not in RAM that survives a restart: after an update
// another firmware reads it, in which variables have other addresses.

import type { RestartReason } from "../core/effect.js";
import type { Storage } from "./storage.js";

const KEY = "restart";

export class RestartNote {
  readonly #storage: Storage;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  note(reason: RestartReason): void {
    this.#storage.write(KEY, reason);
  }

  /** Returns and removes the note. */
  take(): string | undefined {
    const reason = this.#storage.read(KEY);
    if (reason !== undefined) this.#storage.forget(KEY);
    return reason;
  }
}
