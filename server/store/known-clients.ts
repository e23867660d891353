// What the store remembers of clients that have signed in, and to which account: hashes only.

interface KnownClient {
  readonly client: string;
  readonly account: string;
  readonly seenAt: number;
}

export interface KnownClientStore {
  /** Whether it was seen after `since`. `account` undefined: with any. */
  isKnownClient(client: string, account: string | undefined, since: number): Promise<boolean>;
  /** Remembers it, or that it was seen again. */
  putKnownClient(known: KnownClient): Promise<void>;
  /** Forgets those seen before a time, and if more than `maxCount` are left, those seen longest ago. Returns how many. */
  pruneKnownClients(options: { readonly before: number; readonly maxCount: number }): Promise<number>;
}
