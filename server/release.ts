// Makes and checks releases. A release is an image and a manifest about it, signed offline: the manifest is a compact JWS
// (RFC 7515, ES256) whose payload tells every chunk's digest. What the server needs of this file never sees a private key.

import { createHash } from "node:crypto";
import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  compactVerify,
  exportJWK,
  generateKeyPair,
  importJWK,
  type JWK,
} from "jose";
import { type ImageDescription, newImageReader, readImage } from "../firmware/core/image.js";
import {
  chunkCountOf,
  chunkDigest,
  chunkLength,
  parseRelease,
  RELEASE_TYPE,
  type Release,
} from "../firmware/core/release.js";
import { parseVersion, versionName } from "../firmware/core/version.js";
import { MAX_CHECK_RESPONSE_BYTES, type ReleasePayload } from "../firmware/core/wire.js";

/** Bytes a chunk unless told otherwise: four flash sectors. */
export const DEFAULT_CHUNK_BYTES = 16 * 1024;
/** Largest image: what the manifest can express and a 16 MiB flash could hold. */
export const MAX_IMAGE_BYTES = 16 * 1024 * 1024;
/** Room that the rest of a check's answer takes beside the manifest. */
const CHECK_RESPONSE_OVERHEAD_BYTES = 1024;
const HASH_BYTES = 32;

/** A release that is not what it says, with a code for machines. */
export class ReleaseError extends Error {
  override readonly name = "ReleaseError";
  readonly code: ReleaseErrorCode;

  constructor(code: ReleaseErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
export type ReleaseErrorCode =
  | "RELEASE_MALFORMED"
  | "KEY_UNKNOWN"
  | "SIGNATURE_INVALID"
  | "IMAGE_MALFORMED"
  | "IMAGE_MISMATCH"
  | "CHUNK_MISMATCH"
  | "RELEASE_TOO_LARGE";

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

/** Reads what an image says of itself and hashes it chunk by chunk. @throws ReleaseError IMAGE_MALFORMED */
export function describeRelease(image: Uint8Array, options: ReleaseOptions): ReleasePayload {
  const { description, imageSha256 } = inspectImage(image);
  const version = parseVersion(description.version);
  if (!version)
    throw new ReleaseError(
      "IMAGE_MALFORMED",
      `version "${description.version}" of the image is not a semantic version`,
    );
  const chunkSize = options.chunkBytes ?? DEFAULT_CHUNK_BYTES;
  return {
    format: 1,
    type: options.type ?? description.project,
    hardware: options.hardware ?? description.chip,
    chip: description.chip,
    version: versionName(version),
    build: version.build,
    size: image.length,
    sha256: sha256(image).toString("hex"),
    imageSha256,
    chunkSize,
    chunks: chunkDigests(image, chunkSize).toString("base64url"),
    ...(options.minCurrentVersion === undefined ? {} : { minCurrentVersion: options.minCurrentVersion }),
    securityVersion: description.securityVersion,
    protocolVersion: options.protocolVersion ?? 1,
    created: options.created,
    ...(options.expires === undefined ? {} : { expires: options.expires }),
  };
}

/** Signs a payload. The result was read back as a device reads it. @throws ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE */
export async function signRelease(payload: ReleasePayload, privateKey: JWK): Promise<string> {
  const key = (await importJWK(privateKey, "ES256")) as CryptoKey;
  const kid = await calculateJwkThumbprint(publicPart(privateKey));
  const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "ES256", typ: RELEASE_TYPE, kid })
    .sign(key);
  readRelease(jws);
  return jws;
}

export interface ReadRelease {
  readonly jws: string;
  readonly keyId: string;
  readonly release: Release;
}

/** Parses a manifest without judging its signature. @throws ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE */
export function readRelease(jws: string): ReadRelease {
  const limit = MAX_CHECK_RESPONSE_BYTES - CHECK_RESPONSE_OVERHEAD_BYTES;
  if (jws.length > limit) {
    throw new ReleaseError(
      "RELEASE_TOO_LARGE",
      `manifest is ${jws.length} bytes, a device reads ${limit}: choose a larger chunk size`,
    );
  }
  const parsed = parseRelease(jws);
  if (!parsed.ok) throw new ReleaseError("RELEASE_MALFORMED", parsed.failure.message);
  return { jws, keyId: parsed.value.keyId, release: parsed.value.release };
}

/** Throws unless one of the keys signed it. @throws ReleaseError KEY_UNKNOWN, SIGNATURE_INVALID */
export async function verifyReleaseSignature(
  { jws, keyId }: ReadRelease,
  trustedKeys: readonly JWK[],
): Promise<void> {
  for (const key of trustedKeys) {
    if ((await calculateJwkThumbprint(publicPart(key))) !== keyId) continue;
    try {
      await compactVerify(jws, await importJWK(publicPart(key), "ES256"), { algorithms: ["ES256"] });
      return;
    } catch (cause) {
      throw new ReleaseError("SIGNATURE_INVALID", `signature of key ${keyId} does not fit the manifest`, {
        cause,
      });
    }
  }
  throw new ReleaseError("KEY_UNKNOWN", `key ${keyId} is none of the ${trustedKeys.length} trusted keys`);
}

/**
 * Throws unless a file is the one that its manifest describes: length, whole digest, every chunk, and what the image says of
 * itself. Holds one chunk at a time. @throws ReleaseError IMAGE_MISMATCH, CHUNK_MISMATCH, IMAGE_MALFORMED
 */
export async function verifyReleaseFile(release: Release, file: AsyncIterable<Uint8Array>): Promise<void> {
  const whole = createHash("sha256");
  // All but the last 32 bytes: what the appended hash covers.
  const body = createHash("sha256");
  const tail = Buffer.alloc(HASH_BYTES);
  let reader = newImageReader;
  let offset = 0;
  for await (const chunk of inChunks(file, release.chunkSize)) {
    const index = offset / release.chunkSize;
    if (index >= chunkCountOf(release) || chunk.length !== chunkLength(release, index)) {
      throw new ReleaseError(
        "IMAGE_MISMATCH",
        `file is not the ${release.size} bytes that the manifest tells`,
      );
    }
    if (!sha256(chunk).equals(chunkDigest(release, index))) {
      throw new ReleaseError(
        "CHUNK_MISMATCH",
        `chunk ${index}, bytes ${offset} and on, has another digest than the manifest tells`,
      );
    }
    whole.update(chunk);
    const bodyLength = Math.max(0, Math.min(chunk.length, release.size - HASH_BYTES - offset));
    body.update(chunk.subarray(0, bodyLength));
    if (bodyLength < chunk.length)
      tail.set(chunk.subarray(bodyLength), HASH_BYTES - (release.size - offset - bodyLength));
    reader = readImage(reader, offset, chunk);
    offset += chunk.length;
  }
  if (offset !== release.size)
    throw new ReleaseError("IMAGE_MISMATCH", `file is ${offset} bytes, manifest tells ${release.size}`);
  if (whole.digest("hex") !== release.sha256)
    throw new ReleaseError("IMAGE_MISMATCH", "file has another SHA-256 than the manifest tells");
  const description = wholeDescription(reader, release.size);
  if (!body.digest().equals(tail))
    throw new ReleaseError("IMAGE_MALFORMED", "SHA-256 appended to the image does not fit its bytes");
  if (tail.toString("hex") !== release.imageSha256)
    throw new ReleaseError("IMAGE_MISMATCH", "appended SHA-256 is not the manifest's imageSha256");
  compareDescription(release, description);
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

/** A key without what must stay secret. */
export function publicPart({ kty, crv, x, y }: JWK): JWK {
  if (kty !== "EC" || crv !== "P-256" || !x || !y) {
    throw new ReleaseError("KEY_UNKNOWN", `a release key is kty EC, crv P-256, not ${kty} ${crv ?? ""}`);
  }
  return { kty, crv, x, y };
}

/** What an image says of itself and its appended hash, checked. @throws ReleaseError IMAGE_MALFORMED */
export function inspectImage(image: Uint8Array): {
  readonly description: ImageDescription;
  readonly imageSha256: string;
} {
  if (image.length > MAX_IMAGE_BYTES) {
    throw new ReleaseError(
      "IMAGE_MALFORMED",
      `image is ${image.length} bytes, at most ${MAX_IMAGE_BYTES} are possible`,
    );
  }
  const description = wholeDescription(readImage(newImageReader, 0, image), image.length);
  const tail = Buffer.from(image.subarray(image.length - HASH_BYTES));
  if (!sha256(image.subarray(0, image.length - HASH_BYTES)).equals(tail)) {
    throw new ReleaseError("IMAGE_MALFORMED", "SHA-256 appended to the image does not fit its bytes");
  }
  return { description, imageSha256: tail.toString("hex") };
}

function wholeDescription(reader: typeof newImageReader, sizeBytes: number): ImageDescription {
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

function compareDescription(release: Release, description: ImageDescription): void {
  const version = parseVersion(description.version);
  const told = version && `${versionName(version)} build ${version.build}`;
  const signed = `${release.version} build ${release.build}`;
  if (told !== signed)
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `image is ${told ?? `"${description.version}"`}, manifest tells ${signed}`,
    );
  if (description.chip !== release.chip) {
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `image is for ${description.chip}, manifest tells ${release.chip}`,
    );
  }
  if (description.securityVersion !== release.securityVersion) {
    throw new ReleaseError(
      "IMAGE_MISMATCH",
      `image has security version ${description.securityVersion}, manifest tells ${release.securityVersion}`,
    );
  }
}

const sha256 = (bytes: Uint8Array): Buffer => createHash("sha256").update(bytes).digest();

function chunkDigests(image: Uint8Array, chunkBytes: number): Buffer {
  const digests: Buffer[] = [];
  for (let offset = 0; offset < image.length; offset += chunkBytes) {
    digests.push(sha256(image.subarray(offset, offset + chunkBytes)));
  }
  return Buffer.concat(digests);
}

/** The same bytes in pieces of `chunkBytes`; the last may be shorter. */
async function* inChunks(source: AsyncIterable<Uint8Array>, chunkBytes: number): AsyncGenerator<Buffer> {
  let held = Buffer.alloc(0);
  for await (const part of source) {
    held = held.length === 0 ? Buffer.from(part) : Buffer.concat([held, part]);
    for (; held.length >= chunkBytes; held = held.subarray(chunkBytes)) yield held.subarray(0, chunkBytes);
  }
  if (held.length > 0) yield held;
}
