// What the store remembers of sign-ins that were tried: buckets of drops, as in rate.ts, but shared by every server. Of a bucket only
// the time is kept when it will be full again: that says how many drops are left, and a bucket that is full needs no row.

export interface BucketSize {
  /** Drops in a full bucket. */
  readonly burst: number;
  /** Until the next drop. */
  readonly dropMs: number;
}

export interface LoginBucketStore {
  /** 0: a drop was taken. Otherwise milliseconds until the next one is there. Of two at once, both are counted. */
  takeDrop(name: string, size: BucketSize, now: number): Promise<number>;
  /** It is full again. */
  fillBucket(name: string): Promise<void>;
  /** Forgets buckets that are full, and if more than `maxCount` are left, those that will be soonest. Returns how many. */
  pruneBuckets(options: { readonly now: number; readonly maxCount: number }): Promise<number>;
}
