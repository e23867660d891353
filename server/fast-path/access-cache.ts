// Caches for two seconds who may have the images of a device type (api/image-access.ts): an image is fetched in many parts. Bounded;
// when it is full it is emptied.

import { ANY_TYPE, findPolicy, isClosed } from "../devices/identity.js";
import type { Store } from "../store/store.js";

/** A policy that was changed, or a token that was revoked, may count for this long. */
export const ACCESS_CACHE_MS = 2_000;
const MAX_ENTRY_COUNT = 10_000;

export class AccessCache {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #isOpen = new Map<string, { readonly isOpen: boolean; readonly at: number }>();
  readonly #admittedAt = new Map<string, number>();

  constructor({ store, now }: { readonly store: Store; readonly now: () => number }) {
    this.#store = store;
    this.#now = now;
  }

  /** Whether every client may have it; `undefined`: made for a device of unknown type. */
  async isOpen(deviceType: string | undefined): Promise<boolean> {
    const name = deviceType ?? ANY_TYPE;
    const known = this.#isOpen.get(name);
    if (known && this.#isFresh(known.at)) return known.isOpen;
    const at = this.#now();
    const isOpen = !isClosed(await findPolicy({ store: this.#store }, name));
    if (this.#isOpen.size >= MAX_ENTRY_COUNT) this.#isOpen.clear();
    this.#isOpen.set(name, { isOpen, at });
    return isOpen;
  }

  /** Runs `check`, which throws if access is refused, unless it passed for the same key a moment ago. */
  async admit(key: string, check: () => Promise<void>): Promise<void> {
    const known = this.#admittedAt.get(key);
    if (known !== undefined && this.#isFresh(known)) return;
    const at = this.#now();
    await check();
    if (this.#admittedAt.size >= MAX_ENTRY_COUNT) this.#admittedAt.clear();
    this.#admittedAt.set(key, at);
  }

  #isFresh(at: number): boolean {
    return Math.abs(this.#now() - at) < ACCESS_CACHE_MS;
  }
}
