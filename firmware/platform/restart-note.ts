// Why the firmware restarts the chip, kept for the next boot. In NVS and not in memory that survives a restart: after an update
// another firmware reads it, in which every variable lies elsewhere.

import type { RestartReason } from "../core/effect.js";
import type { Storage } from "./storage.js";

const KEY = "restart";

export const createRestartNote = (storage: Storage) => ({
  note: (reason: RestartReason) => storage.write(KEY, reason),
  /** What was noted, once. */
  take(): string | undefined {
    const reason = storage.read(KEY);
    if (reason !== undefined) storage.forget(KEY);
    return reason;
  },
});
