// Whether a server can do its work now: what a load balancer asks. Its tables are up to date since it opened its store.

import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { BlobStore } from "../blobs/blobs.js";
import type { Store } from "../store/store.js";

/** `undefined`: it is in order. Otherwise a sentence. */
export type Checks = Readonly<Record<string, string | undefined>>;

/** A disk that is busy with uploads takes some seconds for a file. */
const CHECK_TIMEOUT_MS = 10_000;
/** A check of the blob store writes a file: not for every question. One that failed is repeated soon. */
const BLOBS_CHECK_VALID_MS = 15_000;
const BLOBS_TROUBLE_VALID_MS = 1_000;
/** Of no device: a question that costs the database nothing. */
const NO_DEVICE = "";

export class Readiness {
  readonly #store: Store;
  readonly #blobs: BlobStore;
  readonly #now: () => number;
  #blobsCheck: Promise<string | undefined> | undefined;
  /** `undefined`: it is under way. */
  #blobsCheckedAt: number | undefined;
  #blobsCheckValidMs = 0;
  #isClosing = false;

  constructor(store: Store, blobs: BlobStore, now: () => number) {
    this.#store = store;
    this.#blobs = blobs;
    this.#now = now;
  }

  /** From now on the server is not ready: it finishes what it has begun. */
  close(): void {
    this.#isClosing = true;
  }

  get isClosing(): boolean {
    return this.#isClosing;
  }

  async check(): Promise<Checks> {
    const [database, blobs] = await Promise.all([
      trouble(this.#store.findDevice(NO_DEVICE)),
      this.#checkBlobs(),
    ]);
    return { server: this.#isClosing ? "is shutting down" : undefined, database, blobs };
  }

  #checkBlobs(): Promise<string | undefined> {
    if (this.#blobsCheck && this.#isFresh()) return this.#blobsCheck;
    // While one is under way no other begins.
    this.#blobsCheckedAt = undefined;
    this.#blobsCheck = trouble(this.#probe()).then((found) => {
      this.#blobsCheckedAt = this.#now();
      this.#blobsCheckValidMs = found ? BLOBS_TROUBLE_VALID_MS : BLOBS_CHECK_VALID_MS;
      return found;
    });
    return this.#blobsCheck;
  }

  /** A clock that was set back makes nothing fresh. */
  #isFresh(): boolean {
    const at = this.#blobsCheckedAt;
    return at === undefined || Math.abs(this.#now() - at) < this.#blobsCheckValidMs;
  }

  async #probe(): Promise<void> {
    // Another content each time: several servers may look at once.
    const probe = Buffer.from(`skyslot: can this store be written to? ${randomUUID()}\n`);
    const { sha256 } = await this.#blobs.put(Readable.from([probe]), probe.length);
    await this.#blobs.remove(sha256);
  }
}

/** Why something does not work, or does not end in time. Without details: the route is public. */
async function trouble(work: Promise<unknown>): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, CHECK_TIMEOUT_MS, `did not answer within ${CHECK_TIMEOUT_MS} ms`);
  });
  const done = work.then(
    () => undefined,
    (error: { readonly code?: unknown }) =>
      `failed${typeof error?.code === "string" ? `: ${error.code}` : ""}`,
  );
  try {
    return await Promise.race([done, late]);
  } finally {
    clearTimeout(timer);
  }
}
