// Makes the payload of a release from an image file, for a signer in Node.

import { createHash } from "node:crypto";
import type { ImageDescription } from "../firmware/core/update/image.js";
import type { ReleasePayload } from "../firmware/core/wire.js";
import {
  appendedHash,
  describeImage,
  digestImage,
  makePayload,
  pagesOf,
  type ReleaseOptions,
  wrongHash,
} from "./payload.js";

/** The payload for an image: its own description and its digests. @throws ReleaseError IMAGE_MALFORMED, RELEASE_TOO_LARGE */
export function describeRelease(image: Uint8Array, options: ReleaseOptions): ReleasePayload {
  describeImage(image);
  const digests = digestImage(image, options, sha256);
  return makePayload(image, { ...digests, pages: pagesOf(digests.chunks).map(sha256) }, options);
}

/** The description and the appended hash of an image, both checked. @throws ReleaseError IMAGE_MALFORMED */
export function inspectImage(image: Uint8Array): {
  readonly description: ImageDescription;
  readonly imageSha256: string;
} {
  const description = describeImage(image);
  const hash = appendedHash(image);
  if (!sha256(image.subarray(0, hash.byteOffset - image.byteOffset)).equals(hash)) throw wrongHash();
  return { description, imageSha256: Buffer.from(hash).toString("hex") };
}

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();
