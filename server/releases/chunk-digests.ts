// The digests of an image's chunks, which devices fetch in pages (core/update/digests.ts): computed from the stored image when they are first
// asked for, compared with what was signed, and kept for the releases that were asked for last. So nothing of them is stored, and they
// are there for images that other servers took, or came by an import.

import { parseRelease, type Release } from "../../firmware/core/update/release.js";
import { digestFile } from "../../release/verify.js";
import type { BlobStore } from "../blobs/blobs.js";
import { Memory } from "../blobs/memory.js";
import type { Firmware } from "../store/store.js";

/** At most 32 KiB each. */
const REMEMBERED_COUNT = 64;

export class ChunkDigests {
  readonly #blobs: BlobStore;
  readonly #known = new Memory<Buffer>(REMEMBERED_COUNT);
  /** Under way, so that a fleet that wakes at once causes one reading. */
  readonly #loading = new Map<string, Promise<Buffer>>();

  constructor(blobs: BlobStore) {
    this.#blobs = blobs;
  }

  /** 32 bytes a chunk. @throws Error if the file is not the one that was signed */
  async of({ id, fileHash }: Firmware, release: Release): Promise<Buffer> {
    const name = nameOf(fileHash, release);
    const known = this.#known.get(name);
    if (known) return this.#known.set(name, known);
    const loading = this.#loading.get(name) ?? this.#load(id, fileHash, release);
    this.#loading.set(name, loading);
    try {
      return this.#known.set(name, await loading);
    } finally {
      this.#loading.delete(name);
    }
  }

  async #load(id: number, fileHash: string, release: Release): Promise<Buffer> {
    try {
      return await digestFile(release, this.#blobs.read(fileHash));
    } catch (cause) {
      throw new Error(`digests of firmware ${id} cannot be made of its file`, { cause });
    }
  }
}

const nameOf = (fileHash: string, { chunkSize }: Release): string => `${fileHash}/${chunkSize}`;

/** What its manifest says; `undefined`: it has none, or one that is longer than is read today. */
export function releaseOf({ release }: Pick<Firmware, "release">): Release | undefined {
  const parsed = release === null ? undefined : parseRelease(release);
  return parsed?.ok ? parsed.value.release : undefined;
}
