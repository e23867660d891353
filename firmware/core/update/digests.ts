// Where the digest of a chunk stands. A manifest of format 1 lists them all, so that it grows with the image. One of format 2 is short
// whatever the image: it has the digests of pages, and a page, which is fetched when it is needed and kept alone, those of 64 chunks.
//
//   manifest   SHA-256 of page 0 │ of page 1 │ …                 at most 8
//   pages      SHA-256 of chunk 0 │ … of chunk 63 │ of chunk 64 …  one behind the other in the file of digests; the last may be shorter
//   image      chunk 0 │ … chunk 63 │ chunk 64 …                   16 or 32 KiB each; the last may be shorter
//
// Pure: numbers and bytes. What is promised was signed; what was fetched is compared with it before it is used.

import type { ReleaseFacts } from "../wire.js";

/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;
/** Digests in a page: 2 KiB, which any device has to spare. */
export const CHUNKS_A_PAGE = 64;
/** Pages of an image at most: their digests are what keeps the manifest short. */
export const MAX_PAGE_COUNT = 8;

/** Images up to 8 MiB have chunks of 16 KiB, larger ones of 32 KiB: then 8 pages are enough for 16 MiB. */
export const chunkBytesFor = (imageBytes: number): number => (imageBytes > 8 * 1024 * 1024 ? 32 : 16) * 1024;

type Divided = Pick<ReleaseFacts, "size" | "chunkSize">;

export const chunkCountOf = ({ size, chunkSize }: Divided): number => Math.ceil(size / chunkSize);

export const chunkLength = ({ size, chunkSize }: Divided, index: number): number =>
  Math.min(chunkSize, size - index * chunkSize);

export const pageCountOf = (release: Divided): number => Math.ceil(chunkCountOf(release) / CHUNKS_A_PAGE);

/** The page that has the digest of the chunk at this offset of the image. */
export const pageAt = ({ chunkSize }: Divided, offset: number): number =>
  Math.floor(offset / (chunkSize * CHUNKS_A_PAGE));

/** Where the chunks of a page end in the image. */
export const pageEnd = ({ size, chunkSize }: Divided, page: number): number =>
  Math.min(size, (page + 1) * CHUNKS_A_PAGE * chunkSize);

/** Where a page lies in the file of digests, and its bytes. */
export const pageOffset = (page: number): number => page * CHUNKS_A_PAGE * DIGEST_BYTES;
export const pageBytes = (release: Divided, page: number): number =>
  Math.min(CHUNKS_A_PAGE, chunkCountOf(release) - page * CHUNKS_A_PAGE) * DIGEST_BYTES;

/** The digest at this place of a list of them. */
export const digestAt = (digests: Uint8Array, index: number): Uint8Array =>
  digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
