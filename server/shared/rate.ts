// Limits how often a client is served: a bucket of tokens for each name, in memory. The number of buckets is bounded too: those
// that were used longest ago go, so a flood of invented names cannot fill the memory.

/** Of each half. */
const MAX_BUCKET_COUNT = 10_000;

interface Bucket {
  tokens: number;
  time: number;
}

export interface RateTerms {
  /** Requests at once. */
  readonly burst: number;
  readonly perSecond: number;
}

export class RateLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  /** In two halves: when the newer one is full, the older one goes, with all that were not used since it was the newer one. */
  #newer = new Map<string, Bucket>();
  #older = new Map<string, Bucket>();

  constructor({ burst, perSecond }: RateTerms) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** 0: allowed. Otherwise milliseconds until the next request is allowed. */
  take(name: string, now: number): number {
    const bucket = this.#bucketOf(name, now);
    const tokens = this.#fill(bucket, now);
    bucket.tokens = tokens >= 1 ? tokens - 1 : tokens;
    bucket.time = now;
    return this.#waitFor(tokens);
  }

  /** What `take` would return. */
  peek(name: string, now: number): number {
    const bucket = this.#newer.get(name) ?? this.#older.get(name);
    if (!bucket) return 0;
    // The clock was set back: it fills from now on.
    bucket.time = Math.min(bucket.time, now);
    return this.#waitFor(this.#fill(bucket, now));
  }

  /** Takes one request back that was counted. */
  giveBack(name: string): void {
    const bucket = this.#newer.get(name) ?? this.#older.get(name);
    if (bucket) bucket.tokens = Math.min(this.#burst, bucket.tokens + 1);
  }

  /** Its next request finds a full bucket. */
  forget(name: string): void {
    this.#newer.delete(name);
    this.#older.delete(name);
  }

  #fill({ tokens, time }: Bucket, now: number): number {
    const elapsedSeconds = Math.max(0, now - time) / 1000;
    return Math.min(this.#burst, tokens + elapsedSeconds * this.#perSecond);
  }

  #waitFor(tokens: number): number {
    return tokens >= 1 ? 0 : Math.ceil(((1 - tokens) / this.#perSecond) * 1000);
  }

  #bucketOf(name: string, now: number): Bucket {
    const newer = this.#newer.get(name);
    if (newer) return newer;
    const bucket = this.#older.get(name) ?? { tokens: this.#burst, time: now };
    if (this.#newer.size >= MAX_BUCKET_COUNT) {
      this.#older = this.#newer;
      this.#newer = new Map();
    }
    this.#newer.set(name, bucket);
    return bucket;
  }
}
