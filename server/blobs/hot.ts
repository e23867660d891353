// Keeps the images that are asked for most in memory: a rollout sends one file to a whole fleet, and a disk or an S3 server need
// not be asked for it each time. Bounded by bytes; what was asked for longest ago goes first. Blobs never change, so nothing here
// can be stale.

import type { BlobStore } from "./blobs.js";

/** About a dozen images of an ESP32. */
const DEFAULT_HOT_BYTES = 32 * 1024 * 1024;

export class HotBlobs {
  readonly #blobs: BlobStore;
  readonly #maxBytes: number;
  readonly #kept = new Map<string, Buffer>();
  /** Reads under way, so that a fleet that wakes at once causes one. */
  readonly #loading = new Map<string, Promise<Buffer>>();
  #bytes = 0;

  constructor(blobs: BlobStore, maxBytes = DEFAULT_HOT_BYTES) {
    this.#blobs = blobs;
    this.#maxBytes = maxBytes;
  }

  /** The whole blob, or `undefined` if it is too large to be kept. */
  async load(sha256: string, sizeBytes: number): Promise<Buffer | undefined> {
    const known = this.#kept.get(sha256);
    if (known) {
      this.#kept.delete(sha256);
      this.#kept.set(sha256, known);
      return known;
    }
    // Half of the room at most, so that one large file does not drive out all others.
    if (sizeBytes > this.#maxBytes / 2) return undefined;
    const loading = this.#loading.get(sha256) ?? this.#load(sha256, sizeBytes);
    this.#loading.set(sha256, loading);
    try {
      return await loading;
    } finally {
      this.#loading.delete(sha256);
    }
  }

  async #load(sha256: string, sizeBytes: number): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.#blobs.read(sha256)) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    if (bytes.length !== sizeBytes)
      throw new Error(`blob ${sha256} is ${bytes.length} bytes, its record says ${sizeBytes}`);
    this.#kept.set(sha256, bytes);
    this.#bytes += bytes.length;
    this.#forgetOldest();
    return bytes;
  }

  #forgetOldest(): void {
    for (const [sha256, bytes] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#kept.delete(sha256);
      this.#bytes -= bytes.length;
    }
  }
}
