// Makes and checks releases. A release is an image and a manifest about it, signed offline: the manifest is a compact JWS
// (RFC 7515, ES256) whose payload tells every chunk's digest. What the server needs of this file never sees a private key.

import { createHash } from "node:crypto";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import {
  CHUNKS_A_PAGE,
  chunkCountOf,
  chunkLength,
  digestAt,
  pageAt,
} from "../../firmware/core/update/digests.js";
import { type ImageDescription, newImageReader, readImage } from "../../firmware/core/update/image.js";
import type { Release } from "../../firmware/core/update/release.js";
import { parseVersion, versionName } from "../../firmware/core/update/version.js";
import type { ReleasePayload } from "../../firmware/core/wire.js";
import { Refusal } from "../shared/refusal.js";
import {
  describeImage,
  digestImage,
  HASH_BYTES,
  makePayload,
  pagesOf,
  type ReleaseOptions,
  wholeDescription,
  wrongHash,
} from "../shared/release-payload.js";
import { publicPart } from "../shared/release-signing.js";

export { MAX_IMAGE_BYTES, type ReleaseOptions } from "../shared/release-payload.js";
export * from "../shared/release-signing.js";

/** Reads what an image says of itself and hashes it chunk by chunk. @throws Refusal IMAGE_MALFORMED, RELEASE_TOO_LARGE */
export function describeRelease(image: Uint8Array, options: ReleaseOptions): ReleasePayload {
  describeImage(image);
  const digests = digestImage(image, options, sha256);
  return makePayload(image, { ...digests, pages: pagesOf(digests.chunks).map(sha256) }, options);
}

/**
 * Throws unless a file is the one that its manifest describes: length, whole digest, every chunk or every page of chunks' digests, and
 * what the image says of itself. Holds one chunk at a time. @throws Refusal IMAGE_MISMATCH, CHUNK_MISMATCH, IMAGE_MALFORMED
 */
export async function verifyReleaseFile(release: Release, file: AsyncIterable<Uint8Array>): Promise<void> {
  const whole = createHash("sha256");
  // All but the last 32 bytes: what the appended hash covers.
  const body = createHash("sha256");
  const tail = Buffer.alloc(HASH_BYTES);
  const judge = checkDigests(release);
  let reader = newImageReader;
  let offset = 0;
  for await (const chunk of inChunks(file, release.chunkSize)) {
    const index = offset / release.chunkSize;
    if (index >= chunkCountOf(release) || chunk.length !== chunkLength(release, index)) {
      throw new Refusal("IMAGE_MISMATCH", `file is not the ${release.size} bytes that the manifest tells`);
    }
    judge(index, sha256(chunk));
    whole.update(chunk);
    const bodyLength = Math.max(0, Math.min(chunk.length, release.size - HASH_BYTES - offset));
    body.update(chunk.subarray(0, bodyLength));
    if (bodyLength < chunk.length)
      tail.set(chunk.subarray(bodyLength), HASH_BYTES - (release.size - offset - bodyLength));
    reader = readImage(reader, offset, chunk);
    offset += chunk.length;
  }
  if (offset !== release.size)
    throw new Refusal("IMAGE_MISMATCH", `file is ${offset} bytes, manifest tells ${release.size}`);
  if (whole.digest("hex") !== release.sha256)
    throw new Refusal("IMAGE_MISMATCH", "file has another SHA-256 than the manifest tells");
  const description = wholeDescription(reader, release.size);
  if (!body.digest().equals(tail)) throw wrongHash();
  if (tail.toString("hex") !== release.imageSha256)
    throw new Refusal("IMAGE_MISMATCH", "appended SHA-256 is not the manifest's imageSha256");
  compareDescription(release, description);
}

/** Takes the digest of one chunk after the other, and throws where they are not those of the manifest. */
function checkDigests(release: Release): (index: number, digest: Buffer) => void {
  const { chunkSize, digests } = release;
  if (release.digestsOf === "chunks")
    return (index, digest) => {
      if (digest.equals(digestAt(digests, index))) return;
      throw new Refusal(
        "CHUNK_MISMATCH",
        `chunk ${index}, bytes ${index * chunkSize} and on, has another digest than the manifest tells`,
      );
    };
  let page = createHash("sha256");
  return (index, digest) => {
    page.update(digest);
    const isLast = (index + 1) % CHUNKS_A_PAGE === 0 || index + 1 === chunkCountOf(release);
    if (!isLast) return;
    const number = pageAt(release, index * chunkSize);
    const found = page.digest();
    page = createHash("sha256");
    if (found.equals(digestAt(digests, number))) return;
    throw new Refusal(
      "CHUNK_MISMATCH",
      `bytes ${number * CHUNKS_A_PAGE * chunkSize} to ${Math.min((index + 1) * chunkSize, release.size) - 1} are not those of the manifest: page ${number} of their digests has another hash`,
    );
  };
}

/** The digests of all chunks, one behind the other: what devices fetch in pages. @throws Refusal as verifyReleaseFile */
export async function digestFile(release: Release, file: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const judge = checkDigests(release);
  const digests: Buffer[] = [];
  for await (const chunk of inChunks(file, release.chunkSize)) {
    const digest = sha256(chunk);
    judge(digests.length, digest);
    digests.push(digest);
  }
  if (digests.length !== chunkCountOf(release)) {
    throw new Refusal(
      "IMAGE_MISMATCH",
      `file has ${digests.length} chunks, the manifest tells ${chunkCountOf(release)}`,
    );
  }
  return Buffer.concat(digests);
}

export interface KeyPair {
  readonly privateKey: JWK;
  readonly publicKey: JWK;
}

/** A fresh ES256 key pair; `kid` is the thumbprint (RFC 7638) in both. */
export async function makeReleaseKeys(): Promise<KeyPair> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  const kid = await calculateJwkThumbprint(publicPart(jwk));
  const common = { alg: "ES256", use: "sig", kid };
  return { privateKey: { ...jwk, ...common }, publicKey: { ...publicPart(jwk), ...common } };
}

/** What an image says of itself and its appended hash, checked. @throws Refusal IMAGE_MALFORMED */
export function inspectImage(image: Uint8Array): {
  readonly description: ImageDescription;
  readonly imageSha256: string;
} {
  const description = describeImage(image);
  const tail = Buffer.from(image.subarray(image.length - HASH_BYTES));
  if (!sha256(image.subarray(0, image.length - HASH_BYTES)).equals(tail)) throw wrongHash();
  return { description, imageSha256: tail.toString("hex") };
}

function compareDescription(release: Release, description: ImageDescription): void {
  const version = parseVersion(description.version);
  const told = version && `${versionName(version)} build ${version.build}`;
  const signed = `${release.version} build ${release.build}`;
  if (told !== signed)
    throw new Refusal(
      "IMAGE_MISMATCH",
      `image is ${told ?? `"${description.version}"`}, manifest tells ${signed}`,
    );
  if (description.chip !== release.chip) {
    throw new Refusal("IMAGE_MISMATCH", `image is for ${description.chip}, manifest tells ${release.chip}`);
  }
  if (release.nvs !== undefined && description.nvs !== release.nvs) {
    throw new Refusal(
      "IMAGE_MISMATCH",
      `image keeps its settings ${description.nvs ?? "in a way that it does not say"}, manifest tells ${release.nvs}`,
    );
  }
  if (description.securityVersion !== release.securityVersion) {
    throw new Refusal(
      "IMAGE_MISMATCH",
      `image has security version ${description.securityVersion}, manifest tells ${release.securityVersion}`,
    );
  }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

/** The same bytes in pieces of `chunkBytes`; the last may be shorter. */
async function* inChunks(source: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const part of source) {
    held = held.length === 0 ? Buffer.from(part) : Buffer.concat([held, part]);
    for (; held.length >= chunkBytes; held = held.subarray(chunkBytes)) yield held.subarray(0, chunkBytes);
  }
  if (held.length > 0) yield held;
}
