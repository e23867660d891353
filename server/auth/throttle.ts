// How often a password may be tried. A client that has not signed in to the account before needs a drop of three buckets: one for this
// account from this network (so that guessing ends soon), one for the network (so that it does not try many accounts), and a wide one for
// the account from everywhere (so that many addresses together guess slowly).
//
// The wide one is the only one that strangers elsewhere can empty, and it must not keep the account's owner out. So who has signed in to it
// before (known-clients.ts) does not need it: a browser that shows its cookie has a bucket of its own and shares none with anybody; a
// network from which that was done needs the first two only. They guess no faster than one stranger does.
//
// The buckets are in the store, so that several servers on one database, or one that is started again, give no more tries than one.
// The same buckets in memory come first: a flood is refused without a word to the database. A try that one bucket refuses takes nothing
// from the next.

import { hash } from "node:crypto";
import { networkOf } from "../shared/address.js";
import { RateLimit } from "../shared/rate.js";
import type { KnownClientStore } from "../store/known-clients.js";
import type { BucketSize, LoginBucketStore } from "../store/login-buckets.js";
import { KnownClients } from "./known-clients.js";

const SIZES = Object.freeze({
  pair: Object.freeze({ burst: 5, dropMs: 30_000 }),
  known: Object.freeze({ burst: 5, dropMs: 30_000 }),
  network: Object.freeze({ burst: 20, dropMs: 5_000 }),
  account: Object.freeze({ burst: 100, dropMs: 10_000 }),
});
type Kind = keyof typeof SIZES;

/** What the store remembers at most. */
const MAX_BUCKET_COUNT = 100_000;
/** Number of tries, and time, after which buckets are pruned. */
const PRUNE_TRY_COUNT = 1_000;
const PRUNE_MS = 60_000;

/** Where a try comes from. */
export interface LoginClient {
  readonly address: string;
  /** What a browser keeps of having signed in before, see known-clients.ts. */
  readonly browser?: string | undefined;
  /** Signed in already, as this account. */
  readonly sessionId?: string | undefined;
}

interface Pass {
  /** 0: go on. Otherwise milliseconds until the next try. */
  readonly waitMs: number;
  /** It has signed in to the account before. */
  readonly isKnown: boolean;
}

export class LoginThrottle {
  readonly known: KnownClients;
  readonly #store: LoginBucketStore;
  readonly #memory: Readonly<Record<Kind, RateLimit>> = {
    pair: inMemory(SIZES.pair),
    known: inMemory(SIZES.known),
    network: inMemory(SIZES.network),
    account: inMemory(SIZES.account),
  };
  #triesSincePrune = 0;
  #prunedAt = Number.NEGATIVE_INFINITY;

  constructor(store: LoginBucketStore & KnownClientStore) {
    this.#store = store;
    this.known = new KnownClients(store);
  }

  /** `now` is milliseconds. */
  async take(account: string, client: LoginClient, now: number): Promise<Pass> {
    const own = await this.#ownBucketOf(account, client, now);
    if (own !== undefined) return { waitMs: await this.#takeAll([["known", own]], now), isKnown: true };
    const from = networkOf(client.address);
    const waitMs = await this.#takeAll(this.#bucketsOf(account, from), now);
    const isKnown = waitMs === 0 && (await this.known.isKnownNetwork(account, from, now));
    return { waitMs: waitMs || isKnown ? waitMs : await this.#takeAll([["account", account]], now), isKnown };
  }

  /** The password was right: the counts of its owner are reset, and where they are is known from now on. */
  async succeeded(account: string, client: LoginClient, now: number): Promise<void> {
    const from = networkOf(client.address);
    const own = await this.#ownBucketOf(account, client, now);
    await this.#fill("pair", pairOf(account, from));
    if (own !== undefined) await this.#fill("known", own);
    await this.known.addNetwork(account, from, now);
  }

  /** The bucket that no other client shares. */
  async #ownBucketOf(
    account: string,
    { browser, sessionId }: LoginClient,
    now: number,
  ): Promise<string | undefined> {
    if (sessionId !== undefined) return `${sessionId} ${account}`;
    return (await this.known.isKnownBrowser(account, browser, now)) ? `${browser} ${account}` : undefined;
  }

  #bucketsOf(account: string, from: string): readonly [Kind, string][] {
    return [
      ["network", from],
      ["pair", pairOf(account, from)],
    ];
  }

  async #takeAll(buckets: readonly [Kind, string][], now: number): Promise<number> {
    for (const [kind, name] of buckets) {
      const waitMs = this.#memory[kind].take(name, now);
      if (waitMs > 0) return waitMs;
    }
    const time = Math.round(now);
    await this.#prune(time);
    for (const [kind, name] of buckets) {
      const waitMs = await this.#store.takeDrop(rowOf(kind, name), SIZES[kind], time);
      if (waitMs > 0) return waitMs;
    }
    return 0;
  }

  async #fill(kind: Kind, name: string): Promise<void> {
    this.#memory[kind].forget(name);
    await this.#store.fillBucket(rowOf(kind, name));
  }

  async #prune(now: number): Promise<void> {
    this.#triesSincePrune++;
    if (this.#triesSincePrune < PRUNE_TRY_COUNT && Math.abs(now - this.#prunedAt) < PRUNE_MS) return;
    this.#triesSincePrune = 0;
    this.#prunedAt = now;
    await this.#store.pruneBuckets({ now, maxCount: MAX_BUCKET_COUNT });
  }
}

const inMemory = ({ burst, dropMs }: BucketSize): RateLimit =>
  new RateLimit({ burst, perSecond: 1000 / dropMs });

const pairOf = (account: string, from: string): string => `${from} ${account}`;

/** Of fixed length, and without what a user may have typed into the wrong field. */
const rowOf = (kind: Kind, name: string): string => hash("sha256", `${kind} ${name}`, "base64url");
