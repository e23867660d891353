// Blobs as files: `ab/abcdef…` under one folder. A file appears under its name only when it is whole and on the disk:
//
//   stream ──▶ tmp/<random> ──fsync──▶ rename ──▶ ab/abcdef… ──fsync folder

import { createHash, randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { type Blob, type BlobStore, BlobTooLarge, type PutBlob } from "./blobs.js";

/** An upload that has not grown for so long is dead. */
const UNFINISHED_MS = 60 * 60_000;

export async function openFileBlobs(folder: string): Promise<BlobStore> {
  await mkdir(join(folder, "tmp"), { recursive: true });
  await forgetUnfinished(join(folder, "tmp"));
  return new FileBlobs(folder);
}

/** What a killed server had begun to receive is of no use to anyone; what is young, another server may be receiving now. */
async function forgetUnfinished(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > UNFINISHED_MS) await rm(join(folder, name), { force: true });
  }
}

class FileBlobs implements BlobStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutBlob> {
    const temporary = join(this.#folder, "tmp", randomUUID());
    try {
      const { sha256, sizeBytes } = await receive(source, temporary, maxBytes);
      const known = await this.stat(sha256);
      const path = pathOf(sha256);
      await this.#publish(temporary, path);
      return { sha256, sizeBytes, path, isNew: !known };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async stat(sha256: string): Promise<Blob | undefined> {
    const path = pathOf(sha256);
    try {
      return { sha256, sizeBytes: (await stat(join(this.#folder, path))).size, path };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
  }

  read(sha256: string, range?: { readonly start: number; readonly end: number }): Readable {
    return createReadStream(join(this.#folder, pathOf(sha256)), { ...range });
  }

  async remove(sha256: string): Promise<void> {
    await rm(join(this.#folder, pathOf(sha256)), { force: true });
  }

  async #publish(temporary: string, path: string): Promise<void> {
    const folder = join(this.#folder, path.slice(0, 2));
    await mkdir(folder, { recursive: true });
    await rename(temporary, join(this.#folder, path));
    await syncFolder(folder);
    await syncFolder(this.#folder);
  }
}

/** The name is checked, not trusted: it becomes a path. */
function pathOf(sha256: string): string {
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new RangeError(`"${sha256.slice(0, 80)}" is not the SHA-256 of a blob`);
  return `${sha256.slice(0, 2)}/${sha256}`;
}

async function receive(source: AsyncIterable<Uint8Array>, file: string, maxBytes: number) {
  const hash = createHash("sha256");
  const handle = await open(file, "wx", 0o644);
  let sizeBytes = 0;
  try {
    for await (const chunk of source) {
      sizeBytes += chunk.length;
      if (sizeBytes > maxBytes)
        throw new BlobTooLarge(`file is longer than the ${maxBytes} bytes that are allowed`);
      hash.update(chunk);
      await handle.writeFile(chunk);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sha256: hash.digest("hex"), sizeBytes };
}

/** A rename is durable only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
