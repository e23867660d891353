// How many devices a server takes. Counted now and then, outside of the transactions that register devices: one that counted them
// all would be in the way of every other. So the limit is exact for one server, and exceeded by a few where several share a store.

import type { Store } from "./store/store.js";

const RECOUNT_MS = 10_000;

export class DeviceLimit {
  readonly maxCount: number;
  readonly #store: Store;
  #count = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(store: Store, maxCount: number) {
    this.#store = store;
    this.maxCount = maxCount;
  }

  /** Counts, if that was long ago. `now` is milliseconds since 1970. */
  async recount(now: number): Promise<void> {
    if (Math.abs(now - this.#countedAt) < RECOUNT_MS) return;
    this.#countedAt = now;
    this.#count = await this.#store.countDevices();
  }

  /** Whether there is room for one more, which then is taken. */
  takePlace(): boolean {
    if (this.#count >= this.maxCount) return false;
    this.#count++;
    return true;
  }
}
