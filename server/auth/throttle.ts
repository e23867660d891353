// How often a password may be tried. Three buckets must all have a drop left: one for this account from this address (so that
// guessing ends soon), one for the address (so that it does not try many accounts), and a wide one for the account from everywhere
// (so that many addresses together guess slowly, but a stranger can hardly keep its owner out).
//
// The buckets are in the store, so that several servers on one database, or one that is started again, give no more tries than one.
// The same buckets in memory come first: a flood is refused without a word to the database.

import { hash } from "node:crypto";
import { RateLimit } from "../shared/rate.js";
import type { BucketSize, LoginBucketStore } from "../store/login-buckets.js";

const PAIR: BucketSize = Object.freeze({ burst: 5, dropMs: 30_000 });
const ADDRESS: BucketSize = Object.freeze({ burst: 20, dropMs: 5_000 });
const ACCOUNT: BucketSize = Object.freeze({ burst: 100, dropMs: 10_000 });

/** What the store remembers at most. */
const MAX_BUCKET_COUNT = 100_000;
/** Number of tries, and time, after which buckets are pruned. */
const PRUNE_TRY_COUNT = 1_000;
const PRUNE_MS = 60_000;

export class LoginThrottle {
  readonly #store: LoginBucketStore;
  readonly #pair = inMemory(PAIR);
  readonly #address = inMemory(ADDRESS);
  readonly #account = inMemory(ACCOUNT);
  #triesSincePrune = 0;
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(store: LoginBucketStore) {
    this.#store = store;
  }

  /** 0: go on. Otherwise milliseconds until the next try. `now` is milliseconds. */
  async take(account: string, address: string, now: number): Promise<number> {
    const from = networkOf(address);
    const waitMs = Math.max(
      this.#address.take(from, now),
      this.#pair.take(pairOf(account, from), now),
      this.#account.take(account, now),
    );
    return waitMs > 0 ? waitMs : this.#takeShared(account, from, Math.round(now));
  }

  /** The password was right: the counts of its owner are reset. */
  async succeeded(account: string, address: string): Promise<void> {
    const pair = pairOf(account, networkOf(address));
    this.#pair.forget(pair);
    await this.#store.fillBucket(rowOf("pair", pair));
  }

  /** A try that one bucket refuses takes nothing from the next: the account's bucket is its owner's too. */
  async #takeShared(account: string, from: string, now: number): Promise<number> {
    await this.#prune(now);
    return (
      (await this.#store.takeDrop(rowOf("address", from), ADDRESS, now)) ||
      (await this.#store.takeDrop(rowOf("pair", pairOf(account, from)), PAIR, now)) ||
      (await this.#store.takeDrop(rowOf("account", account), ACCOUNT, now))
    );
  }

  async #prune(now: number): Promise<void> {
    this.#triesSincePrune++;
    if (this.#triesSincePrune < PRUNE_TRY_COUNT && now - this.#prunedAt < PRUNE_MS) return;
    this.#triesSincePrune = 0;
    this.#prunedAt = now;
    await this.#store.pruneBuckets({ now, maxCount: MAX_BUCKET_COUNT });
  }
}

const inMemory = ({ burst, dropMs }: BucketSize): RateLimit =>
  new RateLimit({ burst, perSecond: 1000 / dropMs });

const pairOf = (account: string, from: string): string => `${from} ${account}`;

/** Of fixed length, and without what a user may have typed into the wrong field. */
const rowOf = (kind: string, name: string): string => hash("sha256", `${kind} ${name}`, "base64url");

/** The owner of one IPv6 address has a whole /64 of them. */
export function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  if (!plain.includes(":")) return plain;
  const [head = "", tail] = plain.split("%")[0]?.split("::") ?? [];
  const groups = head.split(":").filter(Boolean);
  const rest = (tail ?? "").split(":").filter(Boolean);
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - groups.length - rest.length);
  return [...groups, ...Array<string>(zeros).fill("0"), ...rest].slice(0, 4).join(":");
}
