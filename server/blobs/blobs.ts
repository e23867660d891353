// Where firmware files lie: a store addressed by content. A file's name is the SHA-256 of its bytes, so it never changes and
// may be cached forever. The contract (test/contract/blobs.ts); files.ts fulfils it on a disk, s3.ts in a bucket.

import type { Readable } from "node:stream";

/** Of the whole file, hex digits in lower case. The two old ones are for clients that know no better. */
export interface Digests {
  /** 64 digits: the blob's name. */
  readonly sha256: string;
  readonly md5: string;
  readonly sha1: string;
}

export interface Blob extends Digests {
  readonly sizeBytes: number;
  /** Relative to the store. */
  readonly path: string;
}

export interface PutBlob extends Blob {
  /** Whether these bytes were not here before. */
  readonly isNew: boolean;
}

export interface ListedBlob {
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Milliseconds since 1970. */
  readonly storedAt: number;
}

/** Both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** The stream was longer than was allowed. */
export class BlobTooLarge extends Error {
  override readonly name = "BlobTooLarge";
}

/** The store is away, or does not answer. */
export class BlobsUnavailable extends Error {
  override readonly name = "BlobsUnavailable";
}

/** @throws BlobsUnavailable from every method, where the store is on a network */
export interface BlobStore {
  /** Takes a whole stream. When it resolves the bytes are kept; a failed or cut stream leaves nothing. @throws BlobTooLarge */
  put(source: AsyncIterable<Uint8Array>, maxBytes: number): Promise<PutBlob>;
  stat(sha256: string): Promise<Blob | undefined>;
  /** All bytes by default. A blob that is not there, or goes meanwhile, is an error of the stream. */
  read(sha256: string, range?: ByteRange): Readable;
  /** Removing what is not there is no error. */
  remove(sha256: string): Promise<void>;
  list(): AsyncIterable<ListedBlob>;
  /** Removes what uploads have left that ended before `time` without being whole. */
  forgetUnfinished(time: number): Promise<void>;
  /** A URL whose holder may read the blob for some minutes, if the store has such URLs. */
  link?(sha256: string): Promise<string>;
  close(): Promise<void>;
}

/** `ab/abcdef…`, as in every store. The name is checked, not trusted: it becomes a path. @throws RangeError */
export function pathOfBlob(sha256: string): string {
  if (!isSha256(sha256)) throw new RangeError(`"${sha256.slice(0, 80)}" is not the SHA-256 of a blob`);
  return `${sha256.slice(0, 2)}/${sha256}`;
}

export const isSha256 = (text: string): boolean => /^[0-9a-f]{64}$/.test(text);
