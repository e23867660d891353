// The digests of a stream, taken while it goes by.

import { createHash } from "node:crypto";
import { BlobTooLarge, type Digests } from "./blobs.js";

export interface Digester {
  update(bytes: Uint8Array): void;
  finish(): Digests;
}

export function createDigester(): Digester {
  const hashes = { sha256: createHash("sha256"), md5: createHash("md5"), sha1: createHash("sha1") };
  return {
    update(bytes) {
      for (const hash of Object.values(hashes)) hash.update(bytes);
    },
    finish: () => ({
      sha256: hashes.sha256.digest("hex"),
      md5: hashes.md5.digest("hex"),
      sha1: hashes.sha1.digest("hex"),
    }),
  };
}

/** Hands each piece of a stream on. @throws BlobTooLarge before the first byte too many is handed on. */
export async function digest(
  source: AsyncIterable<Uint8Array>,
  maxBytes = Number.POSITIVE_INFINITY,
  take: (bytes: Uint8Array) => Promise<unknown> | undefined = () => undefined,
): Promise<Digests & { readonly sizeBytes: number }> {
  const digester = createDigester();
  let sizeBytes = 0;
  for await (const bytes of source) {
    sizeBytes += bytes.length;
    if (sizeBytes > maxBytes)
      throw new BlobTooLarge(`file is longer than the ${maxBytes} bytes that are allowed`);
    digester.update(bytes);
    await take(bytes);
  }
  return { ...digester.finish(), sizeBytes };
}
