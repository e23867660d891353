// Checks an image file against its manifest. Never holds more than one chunk, and needs no private key.

import { createHash } from "node:crypto";
import {
  CHUNKS_A_PAGE,
  chunkCountOf,
  chunkLength,
  digestAt,
  pageAt,
} from "../firmware/core/update/digests.js";
import type { ImageDescription } from "../firmware/core/update/image.js";
import type { Release } from "../firmware/core/update/release.js";
import { parseVersion, versionName } from "../firmware/core/update/version.js";
import { ReleaseError } from "./error.js";
import { ImageFileReader } from "./image-reader.js";

/**
 * Throws unless a file is the one that its manifest describes: length, SHA-256, the digest of every chunk or of every page of digests,
 * and the description inside the image. @throws ReleaseError IMAGE_MISMATCH, CHUNK_MISMATCH, IMAGE_MALFORMED
 */
export async function verifyReleaseFile(release: Release, file: AsyncIterable<Uint8Array>): Promise<void> {
  const whole = createHash("sha256");
  const image = new ImageFileReader();
  const checkDigest = digestChecker(release);
  let offset = 0;
  for await (const chunk of inChunks(file, release.chunkSize)) {
    const index = offset / release.chunkSize;
    if (index >= chunkCountOf(release) || chunk.length !== chunkLength(release, index)) {
      throw new ReleaseError(
        "IMAGE_MISMATCH",
        `file is not the ${release.size} bytes that the manifest states`,
      );
    }
    checkDigest(index, sha256(chunk));
    whole.update(chunk);
    image.take(chunk);
    offset += chunk.length;
  }
  if (offset !== release.size)
    throw new ReleaseError("IMAGE_MISMATCH", `file is ${offset} bytes, manifest states ${release.size}`);
  if (whole.digest("hex") !== release.sha256)
    throw new ReleaseError("IMAGE_MISMATCH", "SHA-256 of the file differs from the manifest");
  const read = image.end();
  if (typeof read === "string") throw new ReleaseError("IMAGE_MALFORMED", read);
  if (read.imageSha256 === "") throw new ReleaseError("IMAGE_MALFORMED", "image has no appended SHA-256");
  if (read.imageSha256 !== release.imageSha256)
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      "the SHA-256 appended to the image differs from imageSha256 in the manifest",
    );
  compareDescription(release, read.description);
}

/** Takes the digest of each chunk in turn and throws where it is not the one in the manifest. */
function digestChecker(release: Release): (index: number, digest: Buffer) => void {
  const { chunkSize, digests } = release;
  if (release.digestsOf === "chunks")
    return (index, digest) => {
      if (digest.equals(digestAt(digests, index))) return;
      throw new ReleaseError(
        "CHUNK_MISMATCH",
        `chunk ${index}, from byte ${index * chunkSize}, does not match its digest in the manifest`,
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
    throw new ReleaseError(
      "CHUNK_MISMATCH",
      `bytes ${number * CHUNKS_A_PAGE * chunkSize} to ${Math.min((index + 1) * chunkSize, release.size) - 1} do not match the manifest: the hash of page ${number} of their digests differs`,
    );
  };
}

/** The digests of all chunks, concatenated: devices fetch them in pages. @throws ReleaseError as verifyReleaseFile */
export async function digestFile(release: Release, file: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const checkDigest = digestChecker(release);
  const digests: Buffer[] = [];
  for await (const chunk of inChunks(file, release.chunkSize)) {
    const digest = sha256(chunk);
    checkDigest(digests.length, digest);
    digests.push(digest);
  }
  if (digests.length !== chunkCountOf(release)) {
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `file has ${digests.length} chunks, the manifest states ${chunkCountOf(release)}`,
    );
  }
  return Buffer.concat(digests);
}

function compareDescription(release: Release, description: ImageDescription): void {
  const version = parseVersion(description.version);
  const found = version && `${versionName(version)} build ${version.build}`;
  const signed = `${release.version} build ${release.build}`;
  if (found !== signed)
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `image is ${found ?? `"${description.version}"`}, manifest states ${signed}`,
    );
  if (description.chip !== release.chip) {
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `image is for ${description.chip}, manifest states ${release.chip}`,
    );
  }
  if (release.nvs !== undefined && description.nvs !== release.nvs) {
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `image stores its settings ${description.nvs ?? "in a way it does not state"}, manifest states ${release.nvs}`,
    );
  }
  if (description.securityVersion !== release.securityVersion) {
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `image has security version ${description.securityVersion}, manifest states ${release.securityVersion}`,
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
