// What was looked up a moment ago about who may have what is made for a type (image-access.ts). Bounded; who asks much makes it forget,
// not grow.

import { ANY_TYPE, findPolicy, isClosed } from "../devices/identity.js";
import type { Store } from "../store/store.js";

/**
 * An image leaves in many parts: what was looked up is good for the next ones. So long may a policy that was changed, or a token that
 * was revoked, still count.
 */
export const REMEMBERED_MS = 2_000;
const MAX_REMEMBERED_COUNT = 10_000;

export class AccessCache {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #isOpen = new Map<string, { readonly isOpen: boolean; readonly at: number }>();
  readonly #admittedAt = new Map<string, number>();

  constructor({ store, now }: { readonly store: Store; readonly now: () => number }) {
    this.#store = store;
    this.#now = now;
  }

  /** Whether whoever asks may have it; `undefined`: of a device that nobody knows. */
  async isOpen(deviceType: string | undefined): Promise<boolean> {
    const name = deviceType ?? ANY_TYPE;
    const known = this.#isOpen.get(name);
    if (known && this.#isFresh(known.at)) return known.isOpen;
    const at = this.#now();
    const isOpen = !isClosed(await findPolicy({ store: this.#store }, name));
    if (this.#isOpen.size >= MAX_REMEMBERED_COUNT) this.#isOpen.clear();
    this.#isOpen.set(name, { isOpen, at });
    return isOpen;
  }

  /** Runs `judge`, unless it let the same in a moment ago. */
  async admit(key: string, judge: () => Promise<void>): Promise<void> {
    const known = this.#admittedAt.get(key);
    if (known !== undefined && this.#isFresh(known)) return;
    const at = this.#now();
    await judge();
    if (this.#admittedAt.size >= MAX_REMEMBERED_COUNT) this.#admittedAt.clear();
    this.#admittedAt.set(key, at);
  }

  #isFresh(at: number): boolean {
    return Math.abs(this.#now() - at) < REMEMBERED_MS;
  }
}
