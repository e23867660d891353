// What a manifest says of an image, from the image and its digests. Pure, and the same in Node, which signs releases at the command
// line, and in a browser, which signs them on the page: each brings its own SHA-256.

import { toHex } from "../firmware/core/bytes.js";
import {
  type ImageDescription,
  type ImageReader,
  newImageReader,
  readImage,
} from "../firmware/core/image.js";
import { parseVersion, versionName } from "../firmware/core/version.js";
import type { ReleasePayload } from "../firmware/core/wire.js";
import { ReleaseError } from "./release-error.js";

/** Bytes a chunk unless told otherwise: four flash sectors. */
export const DEFAULT_CHUNK_BYTES = 16 * 1024;
/** Largest image: what the manifest can express and a 16 MiB flash could hold. */
export const MAX_IMAGE_BYTES = 16 * 1024 * 1024;
export const HASH_BYTES = 32;

export interface ReleaseOptions {
  /** Kind of firmware; by default the image's project name. */
  readonly type?: string;
  /** Board; by default the chip's name. */
  readonly hardware?: string;
  readonly minCurrentVersion?: string;
  readonly protocolVersion?: number;
  readonly chunkBytes?: number;
  /** Seconds since 1970. */
  readonly created: number;
  readonly expires?: number;
}

/** What has to be hashed of an image, each as 32 bytes. */
export interface ImageDigests<Digest = Uint8Array> {
  readonly whole: Digest;
  /** All but the appended hash. */
  readonly body: Digest;
  readonly chunks: readonly Digest[];
}

/** Hands each part of an image that is hashed to `digest`. The image is one that `describeImage` has taken. */
export function digestImage<Digest>(
  image: Uint8Array,
  chunkBytes: number,
  digest: (bytes: Uint8Array) => Digest,
): ImageDigests<Digest> {
  const chunkCount = Math.ceil(image.length / chunkBytes);
  return {
    whole: digest(image),
    body: digest(image.subarray(0, image.length - HASH_BYTES)),
    chunks: Array.from({ length: chunkCount }, (_, index) =>
      digest(image.subarray(index * chunkBytes, (index + 1) * chunkBytes)),
    ),
  };
}

/** What a whole image says of itself. Its appended hash is not judged. @throws ReleaseError IMAGE_MALFORMED */
export function describeImage(image: Uint8Array): ImageDescription {
  if (image.length > MAX_IMAGE_BYTES) {
    throw new ReleaseError(
      "IMAGE_MALFORMED",
      `image is ${image.length} bytes, at most ${MAX_IMAGE_BYTES} are possible`,
    );
  }
  return wholeDescription(readImage(newImageReader, 0, image), image.length);
}

/** What is signed of an image. @throws ReleaseError IMAGE_MALFORMED */
export function makePayload(
  image: Uint8Array,
  { whole, body, chunks }: ImageDigests,
  options: ReleaseOptions,
): ReleasePayload {
  const description = describeImage(image);
  const imageSha256 = toHex(image.subarray(image.length - HASH_BYTES));
  if (toHex(body) !== imageSha256) throw wrongHash();
  const version = parseVersion(description.version);
  if (!version)
    throw new ReleaseError(
      "IMAGE_MALFORMED",
      `version "${description.version}" of the image is not a semantic version`,
    );
  return {
    format: 1,
    type: options.type ?? description.project,
    hardware: options.hardware ?? description.chip,
    chip: description.chip,
    version: versionName(version),
    build: version.build,
    size: image.length,
    sha256: toHex(whole),
    imageSha256,
    chunkSize: options.chunkBytes ?? DEFAULT_CHUNK_BYTES,
    chunks: base64Url(chunks),
    ...(options.minCurrentVersion === undefined ? {} : { minCurrentVersion: options.minCurrentVersion }),
    securityVersion: description.securityVersion,
    protocolVersion: options.protocolVersion ?? 1,
    created: options.created,
    ...(options.expires === undefined ? {} : { expires: options.expires }),
  };
}

export const wrongHash = (): ReleaseError =>
  new ReleaseError("IMAGE_MALFORMED", "SHA-256 appended to the image does not fit its bytes");

/** @throws ReleaseError IMAGE_MALFORMED unless the reader saw a whole image of this size with an appended hash */
export function wholeDescription(reader: ImageReader, sizeBytes: number): ImageDescription {
  const { description, lengthBytes, error } = reader;
  if (error !== undefined) throw new ReleaseError("IMAGE_MALFORMED", error);
  if (!description || lengthBytes === undefined) {
    throw new ReleaseError("IMAGE_MALFORMED", `file ends after ${sizeBytes} bytes, inside its headers`);
  }
  if (!description.hashAppended) throw new ReleaseError("IMAGE_MALFORMED", "image has no appended SHA-256");
  if (lengthBytes !== sizeBytes) {
    throw new ReleaseError("IMAGE_MALFORMED", `image says it is ${lengthBytes} bytes, file is ${sizeBytes}`);
  }
  return description;
}

function base64Url(parts: readonly Uint8Array[]): string {
  const text = parts.map((part) => String.fromCharCode(...part)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
