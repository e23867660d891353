// Makes the payload of a release from an image file with WebCrypto: the same as describe.ts does in Node.

import type { ReleasePayload } from "../firmware/core/wire.js";
import { describeImage, digestImage, makePayload, pagesOf, type ReleaseOptions } from "./payload.js";

/** The payload for an image: its own description and its digests. @throws ReleaseError IMAGE_MALFORMED, RELEASE_TOO_LARGE */
export async function describeInBrowser(image: Uint8Array, options: ReleaseOptions): Promise<ReleasePayload> {
  describeImage(image);
  const { whole, body, ...digests } = digestImage(image, options, sha256);
  const chunks = await Promise.all(digests.chunks);
  const pages = await Promise.all(pagesOf(chunks).map(sha256));
  return makePayload(image, { whole: await whole, body: await body, chunks, pages }, options);
}

const sha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
