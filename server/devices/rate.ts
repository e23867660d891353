// How often devices are served: a bucket for each that has proved to be itself, one for each name from each network that has not, and one
// for all that a network's strangers show: credentials that nobody was given, names that nobody has. Those are invented as fast as they
// are sent, so none of them has a bucket of its own. In memory; each server counts for itself.

import { hash } from "node:crypto";
import { RateLimit, type RateTerms } from "../shared/rate.js";

/** A network's strangers have as much as so many devices: a few may be misconfigured. */
const STRANGERS = 10;
/** Of each half, as in shared/rate.ts. One that was forgotten is proved again, by one query. */
const MAX_PROOF_COUNT = 20_000;

export class DeviceRate {
  readonly #each: RateLimit;
  readonly #strangers: RateLimit;
  #newer = new Set<string>();
  #older = new Set<string>();

  constructor({ burst, perSecond }: RateTerms) {
    this.#each = new RateLimit({ burst, perSecond });
    this.#strangers = new RateLimit({ burst: burst * STRANGERS, perSecond: perSecond * STRANGERS });
  }

  /** 0: go on. Otherwise milliseconds until the next request. `name`: of the bucket's holder. */
  take(name: string, now: number): number {
    return this.#each.take(name, now);
  }

  takeStranger(network: string, now: number): number {
    return this.#strangers.take(network, now);
  }

  /** What `takeStranger` would return. */
  peekStranger(network: string, now: number): number {
    return this.#strangers.peek(network, now);
  }

  /** It was no stranger. */
  giveBack(network: string): void {
    this.#strangers.giveBack(network);
  }

  /** Whether a credential was the device's a while ago: it may be revoked by now, and then has its own bucket all the same. */
  isProved(proof: string): boolean {
    return this.#newer.has(proof) || this.#older.has(proof);
  }

  noteProof(proof: string): void {
    if (this.#newer.size >= MAX_PROOF_COUNT) {
      this.#older = this.#newer;
      this.#newer = new Set();
    }
    this.#newer.add(proof);
  }
}

/** What a request shows for a device, hashed: no secret stays in memory. */
export const proofOf = (deviceId: string, credential: string): string =>
  hash("sha256", `${deviceId} ${credential}`, "base64url");
