// Bounds how often somebody is served: a bucket of tokens for each name, in memory. The number of buckets is bounded too; the one
// that was used longest ago goes first, so a flood of invented names cannot fill the memory.

const MAX_BUCKET_COUNT = 20_000;

interface Bucket {
  tokens: number;
  time: number;
}

export class RateLimit {
  readonly #burst: number;
  readonly #perSecond: number;
  readonly #buckets = new Map<string, Bucket>();

  constructor({ burst, perSecond }: { readonly burst: number; readonly perSecond: number }) {
    this.#burst = burst;
    this.#perSecond = perSecond;
  }

  /** 0: go on. Otherwise milliseconds until the next request is taken. */
  take(name: string, now: number): number {
    const known = this.#buckets.get(name) ?? { tokens: this.#burst, time: now };
    const elapsedSeconds = Math.max(0, now - known.time) / 1000;
    const tokens = Math.min(this.#burst, known.tokens + elapsedSeconds * this.#perSecond);
    const taken = tokens >= 1;
    this.#buckets.delete(name);
    this.#buckets.set(name, { tokens: taken ? tokens - 1 : tokens, time: now });
    this.#forgetOldest();
    return taken ? 0 : Math.ceil(((1 - tokens) / this.#perSecond) * 1000);
  }

  /** Its next request finds a full bucket. */
  forget(name: string): void {
    this.#buckets.delete(name);
  }

  #forgetOldest(): void {
    if (this.#buckets.size <= MAX_BUCKET_COUNT) return;
    const [oldest] = this.#buckets.keys();
    if (oldest !== undefined) this.#buckets.delete(oldest);
  }
}
