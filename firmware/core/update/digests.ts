// Where the digest of a chunk is. A manifest of format 1 lists all of them, so it grows with the image. One of format 2 is short for any
// image: it has the digests of pages, and a page, which is fetched when it is needed, has those of 64 chunks.
//
//   manifest   SHA-256 of page 0 │ of page 1 │ …                 up to 8
//   pages      SHA-256 of chunk 0 │ … of chunk 63 │ of chunk 64 …  one behind the other in the file of digests; the last may be shorter
//   image      chunk 0 │ … chunk 63 │ chunk 64 …                   16 or 32 KiB each; the last may be shorter
//
// Pure: numbers and bytes.

/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;
/** Digests in a page: 2 KiB, which any device has to spare. */
export const CHUNKS_A_PAGE = 64;
/** Maximum number of pages of an image: it keeps the manifest short. */
export const MAX_PAGE_COUNT = 8;

/** Images up to 8 MiB have chunks of 16 KiB, larger ones of 32 KiB: then 8 pages are enough for 16 MiB. */
export const chunkBytesFor = (imageBytes: number): number => (imageBytes > 8 * 1024 * 1024 ? 32 : 16) * 1024;

interface Divided {
  /** Bytes of the image. */
  readonly size: number;
  readonly chunkSize: number;
}

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

/** Offset of a page in the file of digests, and its length. */
export const pageOffset = (page: number): number => page * CHUNKS_A_PAGE * DIGEST_BYTES;
export const pageBytes = (release: Divided, page: number): number =>
  Math.min(CHUNKS_A_PAGE, chunkCountOf(release) - page * CHUNKS_A_PAGE) * DIGEST_BYTES;

/** The digest with this index in a list of digests. */
export const digestAt = (digests: Uint8Array, index: number): Uint8Array =>
  digests.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES);
