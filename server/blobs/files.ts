// Blobs as files: `ab/abcdef…` under one folder, and beside each its other digests. A file appears under its name only when it is
// whole and on the disk:
//
//   stream ──▶ tmp/<random> ──fsync──▶ rename ──▶ ab/abcdef… ──fsync folder           ab/abcdef….json: { md5, sha1 }
//
// The digests come after the file: a server that is killed in between computes them again when it is asked for them.

import { randomUUID } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import {
  type Blob,
  type BlobStore,
  type ByteRange,
  type Digests,
  isSha256,
  type ListedBlob,
  type PutBlob,
  pathOfBlob,
} from "./blobs.js";
import { digest } from "./digests.js";
import { Memory } from "./memory.js";

const TEMPORARY = "tmp";
const REMEMBERED_COUNT = 1000;

export async function openFileBlobs(folder: string): Promise<BlobStore> {
  await mkdir(join(folder, TEMPORARY), { recursive: true, mode: 0o700 });
  return new FileBlobs(folder);
}

class FileBlobs implements BlobStore {
  readonly #folder: string;
  readonly #digests = new Memory<Digests>(REMEMBERED_COUNT);

  constructor(folder: string) {
    this.#folder = folder;
  }

  async put(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutBlob> {
    const temporary = this.#temporary();
    try {
      const { sizeBytes, ...digests } = await receive(source, temporary, maxBytes);
      const { sha256 } = digests;
      const path = pathOfBlob(sha256);
      const isNew = !(await sizeOf(join(this.#folder, path)));
      await this.#publish(temporary, path);
      await this.#keepDigests(digests);
      return { ...digests, sizeBytes, path, isNew };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  async stat(sha256: string): Promise<Blob | undefined> {
    const path = pathOfBlob(sha256);
    const found = await sizeOf(join(this.#folder, path));
    return found && { ...(await this.#digestsOf(sha256)), ...found, path };
  }

  read(sha256: string, range?: ByteRange): Readable {
    return createReadStream(join(this.#folder, pathOfBlob(sha256)), { ...range });
  }

  async remove(sha256: string): Promise<void> {
    const file = join(this.#folder, pathOfBlob(sha256));
    this.#digests.delete(sha256);
    await rm(`${file}.json`, { force: true });
    await rm(file, { force: true });
  }

  async *list(): AsyncGenerator<ListedBlob> {
    for (const folder of await readdir(this.#folder)) {
      if (!/^[0-9a-f]{2}$/.test(folder)) continue;
      for (const sha256 of (await readdir(join(this.#folder, folder))).filter(isSha256)) {
        const found = await statIfThere(join(this.#folder, folder, sha256));
        if (found) yield { sha256, sizeBytes: found.size, storedAt: Math.round(found.mtimeMs) };
      }
    }
  }

  async forgetUnfinished(time: number): Promise<void> {
    const folder = join(this.#folder, TEMPORARY);
    for (const name of await readdir(folder)) {
      const found = await statIfThere(join(folder, name));
      if (found && found.mtimeMs < time) await rm(join(folder, name), { force: true });
    }
  }

  async close(): Promise<void> {}

  #temporary(): string {
    return join(this.#folder, TEMPORARY, randomUUID());
  }

  async #publish(temporary: string, path: string): Promise<void> {
    const folder = join(this.#folder, path.slice(0, 2));
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await rename(temporary, join(this.#folder, path));
    await syncFolder(folder);
    await syncFolder(this.#folder);
  }

  async #digestsOf(sha256: string): Promise<Digests> {
    const known = this.#digests.get(sha256);
    if (known) return known;
    const stored = await readDigests(join(this.#folder, `${pathOfBlob(sha256)}.json`));
    if (stored) return this.#digests.set(sha256, { sha256, ...stored });
    const { sizeBytes: _sizeBytes, ...digests } = await digest(this.read(sha256));
    await this.#keepDigests({ ...digests, sha256 });
    return { ...digests, sha256 };
  }

  async #keepDigests({ sha256, md5, sha1 }: Digests): Promise<void> {
    const temporary = this.#temporary();
    await writeFile(temporary, `${JSON.stringify({ md5, sha1 })}\n`);
    await rename(temporary, join(this.#folder, `${pathOfBlob(sha256)}.json`));
    this.#digests.set(sha256, { sha256, md5, sha1 });
  }
}

async function receive(source: AsyncIterable<Uint8Array>, file: string, maxBytes: number) {
  const handle = await open(file, "wx", 0o600);
  try {
    const received = await digest(source, maxBytes, (bytes) => handle.writeFile(bytes));
    await handle.sync();
    return received;
  } finally {
    await handle.close();
  }
}

const sizeOf = async (file: string): Promise<{ readonly sizeBytes: number } | undefined> => {
  const found = await statIfThere(file);
  return found && { sizeBytes: found.size };
};

async function statIfThere(file: string) {
  try {
    return await stat(file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** Absent or torn: they are computed again. */
async function readDigests(file: string): Promise<Pick<Digests, "md5" | "sha1"> | undefined> {
  try {
    const { md5, sha1 } = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    if (!/^[0-9a-f]{32}$/.test(String(md5)) || !/^[0-9a-f]{40}$/.test(String(sha1))) return undefined;
    return { md5: String(md5), sha1: String(sha1) };
  } catch {
    return undefined;
  }
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
