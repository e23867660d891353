// Who has signed in to an account before: a browser, by a secret in a cookie that outlives the session and opens nothing
// (OWASP's "device cookie"), or a network. It only decides which buckets of throttle.ts count its tries. The store keeps hashes.

import { hash } from "node:crypto";
import type { KnownClientStore } from "../store/known-clients.js";
import { isSecret, makeSecret } from "./secret.js";

/** Since the last sign-in. */
export const KNOWN_MS = 90 * 24 * 60 * 60_000;
/** What the store remembers at most; only who signs in adds something. */
const MAX_CLIENT_COUNT = 100_000;

export class KnownClients {
  readonly #store: KnownClientStore;

  constructor(store: KnownClientStore) {
    this.#store = store;
  }

  isKnownNetwork(account: string, network: string, now: number): Promise<boolean> {
    return this.#isKnown(rowOf("network", network), account, now);
  }

  async isKnownBrowser(account: string, secret: string | undefined, now: number): Promise<boolean> {
    return (
      secret !== undefined &&
      isSecret("browser", secret) &&
      (await this.#isKnown(rowOf("browser", secret), account, now))
    );
  }

  addNetwork(account: string, network: string, now: number): Promise<void> {
    return this.#add(rowOf("network", network), account, now);
  }

  /**
   * For a browser that has just signed in. It goes on with the secret that it has, so that it stays known to all accounts that are used in
   * it, but only if that was given out here: a planted one would be shared with who planted it.
   * @returns the secret that it is to keep
   */
  async addBrowser(account: string, secret: string | undefined, now: number): Promise<string> {
    const isOurs =
      secret !== undefined &&
      isSecret("browser", secret) &&
      (await this.#isKnown(rowOf("browser", secret), undefined, now));
    const kept = isOurs ? secret : makeSecret("browser");
    await this.#add(rowOf("browser", kept), account, now);
    return kept;
  }

  #isKnown(client: string, account: string | undefined, now: number): Promise<boolean> {
    const of = account === undefined ? undefined : rowOf("account", account);
    return this.#store.isKnownClient(client, of, Math.round(now) - KNOWN_MS);
  }

  async #add(client: string, account: string, now: number): Promise<void> {
    const seenAt = Math.round(now);
    await this.#store.putKnownClient({ client, account: rowOf("account", account), seenAt });
    await this.#store.pruneKnownClients({ before: seenAt - KNOWN_MS, maxCount: MAX_CLIENT_COUNT });
  }
}

const rowOf = (kind: string, name: string): string => hash("sha256", `${kind} ${name}`, "base64url");
