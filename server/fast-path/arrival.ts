// What the short way (fast-path.ts) has found out about a request before the routes see it.

/** What is known of a request that goes on to the routes. */
export interface Arrival {
  /** It was read already. */
  readonly body: Buffer;
  /** It is not quiet. */
  readonly isWhole?: true;
  /** The same was asked too often: so many milliseconds until it is answered again. */
  readonly waitMs?: number;
}
