// Where firmware files lie: a store addressed by content. A file's name is the SHA-256 of its bytes, so it never changes and
// may be cached for ever. The contract; files.ts fulfils it on a disk.

import type { Readable } from "node:stream";

export interface Blob {
  /** 64 hex digits. */
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Relative to the store. */
  readonly path: string;
}

export interface PutBlob extends Blob {
  /** Whether these bytes were here before. */
  readonly isNew: boolean;
}

/** The stream was longer than was allowed. */
export class BlobTooLarge extends Error {
  override readonly name = "BlobTooLarge";
}

export interface BlobStore {
  /** Takes a whole stream. When it resolves the bytes are on the disk; a failed or cut stream leaves nothing. @throws BlobTooLarge */
  put(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutBlob>;
  stat(sha256: string): Promise<Blob | undefined>;
  /** Bytes `start` to `end`, both included; all of them by default. */
  read(sha256: string, range?: { readonly start: number; readonly end: number }): Readable;
  remove(sha256: string): Promise<void>;
}
