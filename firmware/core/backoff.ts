// How long to wait before the next try: doubled each time, bounded, and spread so that a fleet does not retry all at once.

export interface BackoffPolicy {
  readonly firstMs: number;
  readonly maximumMs: number;
}

/**
 * Milliseconds to wait after `failureCount` failures in a row (1 or more): between half and the whole of
 * `firstMs · 2^(failureCount − 1)`, at most `maximumMs`.
 *
 * @param random 0 (included) to 1 (excluded)
 */
export function backoffMs(policy: BackoffPolicy, failureCount: number, random: number): number {
  const exponent = Math.min(Math.max(failureCount, 1) - 1, 20);
  const ceiling = Math.min(policy.firstMs * 2 ** exponent, policy.maximumMs);
  return Math.round(ceiling * (0.5 + random / 2));
}

/** `leastMs` or up to a tenth more: devices that were all told to wait so long do not come back at once. */
export const spreadMs = (leastMs: number, random: number): number => Math.round(leastMs * (1 + random / 10));

/** `aroundMs` plus or minus a tenth: the regular check of a fleet that was powered on together drifts apart. */
export function jitteredMs(aroundMs: number, random: number): number {
  return Math.round(aroundMs * (0.9 + random / 5));
}
