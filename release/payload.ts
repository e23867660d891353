// The payload of a manifest, made from an image and its digests. Pure and free of Node: the command line and the page that signs both use
// it, each with its own SHA-256.

import { toHex } from "../firmware/core/bytes.js";
import { CHUNKS_A_PAGE, chunkBytesFor, MAX_PAGE_COUNT } from "../firmware/core/update/digests.js";
import { type ImageDescription, newImageReader, readImage } from "../firmware/core/update/image.js";
import { numberedVersion, parseVersion, versionName } from "../firmware/core/update/version.js";
import type { ReleasePayload } from "../firmware/core/wire.js";
import { ReleaseError } from "./error.js";
import { trailerProblem } from "./signature-sector.js";

type ReleaseFormat = ReleasePayload["format"];
const DEFAULT_FORMAT: ReleaseFormat = 2;
/** Largest image: what the manifest can express and a 16 MiB flash could hold. */
const MAX_IMAGE_BYTES = 16 * 1024 * 1024;
export const HASH_BYTES = 32;

export interface ReleaseOptions {
  /** Kind of firmware; by default the image's project name. */
  readonly type?: string;
  /** Board; by default the chip's name. */
  readonly hardware?: string;
  readonly minCurrentVersion?: string;
  /** By default what the image says, else 1. */
  readonly protocolVersion?: number;
  /** Oldest version of the other device of a pair that this firmware works with; by default what the image says. */
  readonly minCompatible?: string;
  /** Default: 16 KiB; 32 KiB for images above 8 MiB. */
  readonly chunkBytes?: number;
  /** 1: for devices whose firmware reads no other format. */
  readonly format?: ReleaseFormat;
  /** Seconds since 1970. */
  readonly created: number;
  readonly expires?: number;
  /** Its place among the releases of its type; absent: none. */
  readonly sequence?: number;
  /** Oldest trust root with which a device may install it; absent: any. */
  readonly minRoot?: number;
}

/** The digests of an image and its parts, 32 bytes each. */
interface ImageDigests<Digest = Uint8Array> {
  readonly whole: Digest;
  /** All before the appended hash. */
  readonly body: Digest;
  readonly chunks: readonly Digest[];
}

const chunkBytesOf = (image: Uint8Array, { chunkBytes }: ReleaseOptions): number =>
  chunkBytes ?? chunkBytesFor(image.length);

/** Hashes an image and its parts with `digest`. The image has passed `describeImage`. */
export function digestImage<Digest>(
  image: Uint8Array,
  options: ReleaseOptions,
  digest: (bytes: Uint8Array) => Digest,
): ImageDigests<Digest> {
  const { hashOffset } = readWholeImage(image);
  const chunkBytes = chunkBytesOf(image, options);
  const chunkCount = Math.ceil(image.length / chunkBytes);
  return {
    whole: digest(image),
    body: digest(image.subarray(0, hashOffset)),
    chunks: Array.from({ length: chunkCount }, (_, index) =>
      digest(image.subarray(index * chunkBytes, (index + 1) * chunkBytes)),
    ),
  };
}

/** The description inside a whole image. Does not check the appended hash. @throws ReleaseError IMAGE_MALFORMED */
export function describeImage(image: Uint8Array): ImageDescription {
  if (image.length > MAX_IMAGE_BYTES) {
    throw new ReleaseError(
      "IMAGE_MALFORMED",
      `image is ${image.length} bytes, the maximum is ${MAX_IMAGE_BYTES}`,
    );
  }
  return readWholeImage(image).description;
}

/** The digests of chunks in pages; a manifest of format 2 holds the hash of each. */
export function pagesOf(chunks: readonly Uint8Array[]): readonly Uint8Array[] {
  const pageCount = Math.ceil(chunks.length / CHUNKS_A_PAGE);
  return Array.from({ length: pageCount }, (_, page) =>
    concatenate(chunks.slice(page * CHUNKS_A_PAGE, (page + 1) * CHUNKS_A_PAGE)),
  );
}

/** The payload to sign. `pages` are the digests of `pagesOf`. @throws ReleaseError IMAGE_MALFORMED, RELEASE_TOO_LARGE */
export function makePayload(
  image: Uint8Array,
  { whole, body, chunks, pages }: ImageDigests & { readonly pages: readonly Uint8Array[] },
  options: ReleaseOptions,
): ReleasePayload {
  const description = describeImage(image);
  const imageSha256 = toHex(appendedHash(image));
  if (toHex(body) !== imageSha256) throw wrongHash();
  const version = parseVersion(description.version);
  if (!version)
    throw new ReleaseError(
      "IMAGE_MALFORMED",
      `version "${description.version}" of the image is not a semantic version`,
    );
  const format = options.format ?? DEFAULT_FORMAT;
  const chunkSize = chunkBytesOf(image, options);
  if (format !== 1 && pages.length > MAX_PAGE_COUNT) {
    throw new ReleaseError(
      "RELEASE_TOO_LARGE",
      `chunks of ${chunkSize} bytes need ${pages.length} pages of digests, the maximum is ${MAX_PAGE_COUNT}: choose larger chunks`,
    );
  }
  return {
    ...(format === 1 ? { format, chunks: base64Url(chunks) } : { format, pages: base64Url(pages) }),
    type: options.type ?? description.project,
    hardware: options.hardware ?? description.chip,
    chip: description.chip,
    version: versionName(version),
    build: version.build,
    size: image.length,
    sha256: toHex(whole),
    imageSha256,
    chunkSize,
    ...(options.minCurrentVersion === undefined ? {} : { minCurrentVersion: options.minCurrentVersion }),
    securityVersion: description.securityVersion,
    protocolVersion: options.protocolVersion ?? description.protocolVersion ?? 1,
    ...minCompatibleOf(description, options),
    ...(description.nvs === undefined ? {} : { nvs: description.nvs }),
    created: options.created,
    ...(options.expires === undefined ? {} : { expires: options.expires }),
    ...(options.sequence === undefined ? {} : { sequence: options.sequence }),
    ...(options.minRoot === undefined ? {} : { minRoot: options.minRoot }),
  };
}

function minCompatibleOf(
  { minCompatible: ofImage }: ImageDescription,
  { minCompatible = ofImage === undefined ? undefined : numberedVersion(ofImage) }: ReleaseOptions,
): Pick<ReleasePayload, "minCompatible"> {
  return minCompatible === undefined ? {} : { minCompatible };
}

export const wrongHash = (): ReleaseError =>
  new ReleaseError("IMAGE_MALFORMED", "SHA-256 appended to the image does not match its bytes");

/** The SHA-256 that is appended to an image: at the end of the file, or in front of the signature sector of Secure Boot. */
export function appendedHash(image: Uint8Array): Uint8Array {
  const { hashOffset } = readWholeImage(image);
  return image.subarray(hashOffset, hashOffset + HASH_BYTES);
}

/** @throws ReleaseError IMAGE_MALFORMED unless this is a whole image with an appended hash */
function readWholeImage(image: Uint8Array): {
  readonly description: ImageDescription;
  readonly hashOffset: number;
} {
  const { description, lengthBytes, error } = readImage(newImageReader, 0, image);
  if (error !== undefined) throw new ReleaseError("IMAGE_MALFORMED", error);
  if (!description || lengthBytes === undefined) {
    throw new ReleaseError("IMAGE_MALFORMED", `file ends after ${image.length} bytes, inside its headers`);
  }
  if (!description.hashAppended) throw new ReleaseError("IMAGE_MALFORMED", "image has no appended SHA-256");
  const problem =
    image.length < lengthBytes
      ? `image states ${lengthBytes} bytes, file is ${image.length}`
      : trailerProblem(lengthBytes, image.subarray(lengthBytes));
  if (problem !== undefined) throw new ReleaseError("IMAGE_MALFORMED", problem);
  return { description, hashOffset: lengthBytes - HASH_BYTES };
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

function base64Url(parts: readonly Uint8Array[]): string {
  const text = parts.map((part) => String.fromCharCode(...part)).join("");
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}
