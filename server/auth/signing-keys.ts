// The keys of access tokens (ES256), shared through the store by all processes on one database. The newest signs; a month later
// the next is made, and the old one still verifies until every token under it has expired. Two processes that make one at the
// same time have made two: both are known to both.

import { createPrivateKey, createPublicKey, generateKeyPair, type KeyObject, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { CLOCK_SKEW_MS } from "../store/clock.js";
import type { SigningKeyStore } from "../store/signing-keys.js";

const ROTATE_MS = 30 * 24 * 60 * 60_000;
/** Longer than any access token is valid, and than clocks of processes differ. */
const KEEP_MS = ROTATE_MS + 24 * 60 * 60_000;
/** A token under an unknown key makes us look into the store, but not more often than that. */
const LOOK_EVERY_MS = 5_000;

interface Key {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly createdAt: number;
}

export class SigningKeys {
  readonly #store: SigningKeyStore;
  readonly #now: () => number;
  #keys: readonly Key[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;

  constructor(store: SigningKeyStore, now: () => number) {
    this.#store = store;
    this.#now = now;
  }

  /** The key to sign with: made, if there is none that is young enough. */
  async current(): Promise<Key> {
    if (!this.#young()) await this.#load();
    if (!this.#young()) await this.#make();
    return this.#young() as Key;
  }

  async find(kid: string): Promise<Key | undefined> {
    const known = this.#keys.find((key) => key.kid === kid);
    if (known || Math.abs(this.#now() - this.#lookedAt) < LOOK_EVERY_MS) return known;
    await this.#load();
    return this.#keys.find((key) => key.kid === kid);
  }

  #young(): Key | undefined {
    const now = this.#now();
    return this.#keys.find(
      ({ createdAt }) => now - createdAt < ROTATE_MS && createdAt <= now + CLOCK_SKEW_MS,
    );
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #read(): Promise<void> {
    const stored = await this.#store.listSigningKeys();
    this.#keys = stored.map(({ kid, privateKey, createdAt }) => {
      const key = createPrivateKey({ key: JSON.parse(privateKey), format: "jwk" });
      return { kid, privateKey: key, publicKey: createPublicKey(key), createdAt };
    });
    this.#lookedAt = this.#now();
  }

  async #make(): Promise<void> {
    const { privateKey } = await promisify(generateKeyPair)("ec", { namedCurve: "P-256" });
    const createdAt = Math.round(this.#now());
    await this.#store.removeSigningKeys(createdAt - KEEP_MS);
    await this.#store.addSigningKey({
      kid: randomUUID(),
      privateKey: JSON.stringify(privateKey.export({ format: "jwk" })),
      createdAt,
    });
    await this.#load();
  }
}
