// A gateway's cache: the data partition `cache`, through `embedded:storage/flash`. It carries out the effects of
// core/gateway/cache-vocabulary.ts and raises its events. What is in the partition, and whether it is whole, is core's to find out.

import flash, { type Flash } from "embedded:storage/flash";
import type { CacheEffect, CacheEvent } from "../../core/gateway/cache-vocabulary.js";
import { SECTOR_BYTES } from "../../core/update/release.js";
import { giveWay, hashFlash } from "../flash-hash.js";
import type { Native } from "../native.js";
import type { Dispatch, Handlers } from "../runner.js";

const LABEL = "cache";
const NO_PARTITION =
  "the partition table has no cache partition: a gateway needs 8 MB of flash, flashed with partitions/8mb-gateway.csv";

/** The effects of an app with a cache. */
export function createCache(dispatch: Dispatch<CacheEvent>, native: Native): Handlers<CacheEffect> {
  const cache = new Cache(dispatch, native);
  return {
    eraseCache: ({ attempt, offset }) => cache.erase(attempt, offset),
    writeCache: ({ attempt, offset, bytes }) => cache.write(attempt, offset, bytes),
    readCache: ({ attempt, offset, length }) => cache.read(attempt, offset, length),
    hashCache: ({ attempt, offset, length, algorithm }) =>
      cache.hash(attempt, offset, length, algorithm ?? "SHA256"),
  };
}

class Cache {
  readonly #dispatch: Dispatch<CacheEvent>;
  readonly #native: Native;
  #opened: Flash | undefined;

  constructor(dispatch: Dispatch<CacheEvent>, native: Native) {
    this.#dispatch = dispatch;
    this.#native = native;
  }

  erase(attempt: number, offset: number): void {
    this.#attempted(attempt, `erase at ${offset}`, (partition) => {
      partition.eraseBlock(offset / SECTOR_BYTES);
      giveWay(this.#native);
      this.#dispatch({ type: "cacheErased", attempt, offset });
    });
  }

  write(attempt: number, offset: number, bytes: Uint8Array): void {
    this.#attempted(attempt, `write of ${bytes.length} bytes at ${offset}`, (partition) => {
      partition.write(bytes, offset);
      this.#dispatch({ type: "cacheWritten", attempt, offset, length: bytes.length });
    });
  }

  read(attempt: number, offset: number, length: number): void {
    this.#attempted(attempt, `read of ${length} bytes at ${offset}`, (partition) => {
      const bytes = new Uint8Array(partition.read(length, offset));
      this.#dispatch({ type: "cacheRead", attempt, offset, bytes });
    });
  }

  hash(attempt: number, offset: number, length: number, algorithm: "MD5" | "SHA256"): void {
    this.#attempted(attempt, `hash at ${offset}`, (partition) =>
      hashFlash({
        flash: () => partition,
        native: this.#native,
        offset,
        length,
        algorithm,
        hashed: (digest) => this.#dispatch({ type: "cacheHashed", attempt, offset, digest }),
        failed: (what, error) => this.#failed(attempt, what, error),
      }),
    );
  }

  #attempted(attempt: number, what: string, act: (partition: Flash) => void): void {
    try {
      this.#opened ??= flash.open({ path: LABEL });
    } catch {
      return this.#dispatch({ type: "cacheFailed", attempt, message: NO_PARTITION });
    }
    try {
      act(this.#opened);
    } catch (error) {
      this.#failed(attempt, what, error);
    }
  }

  #failed(attempt: number, what: string, error: unknown): void {
    this.#dispatch({ type: "cacheFailed", attempt, message: `${what}: ${String(error)}` });
  }
}
