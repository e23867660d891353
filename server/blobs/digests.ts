// The digests of a stream, taken while it goes by.

import { createHash } from "node:crypto";
import { BlobTooLarge, type Digests } from "./blobs.js";

/** Hands each piece of a stream on. @throws BlobTooLarge before the first byte too many is handed on. */
export async function digest(
  source: AsyncIterable<Uint8Array>,
  maxBytes = Number.POSITIVE_INFINITY,
  take: (bytes: Uint8Array) => Promise<unknown> | undefined = () => undefined,
): Promise<Digests & { readonly sizeBytes: number }> {
  const hashes = { sha256: createHash("sha256"), md5: createHash("md5"), sha1: createHash("sha1") };
  let sizeBytes = 0;
  for await (const bytes of source) {
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes)
      throw new BlobTooLarge(`file is longer than the ${maxBytes} bytes that are allowed`);
    for (const hash of Object.values(hashes)) hash.update(bytes);
    await take(bytes);
  }
  return {
    sha256: hashes.sha256.digest("hex"),
    md5: hashes.md5.digest("hex"),
    sha1: hashes.sha1.digest("hex"),
    sizeBytes,
  };
}
