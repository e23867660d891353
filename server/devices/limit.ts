// How many devices a server takes, and how many new ones from one address. Counted now and then, outside of the transactions that
// register devices: one that counted them all would be in the way of every other. So the limit is exact for one server, and exceeded by
// a few where several share a store.

import type { RateLimit } from "../shared/rate.js";
import { Refusal } from "../shared/refusal.js";
import type { Store } from "../store/store.js";

const RECOUNT_MS = 10_000;

export class DeviceLimit {
  readonly #maxCount: number;
  readonly #store: Store;
  readonly #rate: RateLimit | undefined;
  #count = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  /** `rate`: of new devices from one address; absent: no bound. */
  constructor(store: Store, maxCount: number, rate?: RateLimit) {
    this.#store = store;
    this.#maxCount = maxCount;
    this.#rate = rate;
  }

  /** Counts, if that was long ago. `now` is milliseconds since 1970. */
  async recount(now: number): Promise<void> {
    if (Math.abs(now - this.#countedAt) < RECOUNT_MS) return;
    this.#countedAt = now;
    this.#count = await this.#store.countDevices();
  }

  /** For a device without an enrolment token. 0: allowed. Otherwise milliseconds until the next one is allowed. */
  takeFrom(network: string, now: number): number {
    return this.#rate?.take(network, now) ?? 0;
  }

  /** What `takeFrom` would return. */
  peekFrom(network: string, now: number): number {
    return this.#rate?.peek(network, now) ?? 0;
  }

  /** Takes room for one more. @throws Refusal DEVICE_LIMIT */
  takePlace(): void {
    if (this.#count >= this.#maxCount) {
      throw new Refusal("DEVICE_LIMIT", `this server takes ${this.#maxCount} devices and has as many`);
    }
    this.#count++;
  }
}
