// Creates and signs a manifest in the browser: the image is hashed and the key is used here; no part of the key is ever sent. Payload and
// signature come from the same code as on the command line.

import type { JWK } from "jose";
import type { ReleasePayload } from "../../../../firmware/core/wire.js";
import {
  describeImage,
  digestImage,
  makePayload,
  pagesOf,
  type ReleaseOptions,
} from "../../../../release/payload.js";
import { readRelease, signRelease } from "../../../../release/signing.js";

/** Longest key file that is read. */
const MAX_KEY_BYTES = 16 * 1024;
const MAX_MANIFEST_BYTES = 64 * 1024;

/** Browsers hash and sign only on pages from HTTPS or from the local machine. */
export const canSign = (): boolean => globalThis.isSecureContext && crypto.subtle !== undefined;

/** What will be signed. @throws ReleaseError with a sentence */
export async function describeFile(image: Uint8Array, options: ReleaseOptions): Promise<ReleasePayload> {
  describeImage(image);
  const sha256 = async (bytes: Uint8Array) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  const { whole, body, ...digests } = digestImage(image, options, sha256);
  const chunks = await Promise.all(digests.chunks);
  const pages = await Promise.all(pagesOf(chunks).map(sha256));
  return makePayload(image, { whole: await whole, body: await body, chunks, pages }, options);
}

/** @returns the manifest @throws Error with a sentence */
export async function signFile(payload: ReleasePayload, keyFile: File): Promise<string> {
  return signRelease(payload, await readKey(keyFile));
}

/** A manifest that was signed elsewhere. The server checks its signature. @throws Error with a sentence */
export async function readManifest(
  file: File,
): Promise<{ readonly jws: string; readonly payload: ManifestFacts }> {
  if (file.size > MAX_MANIFEST_BYTES)
    throw new Error(`${file.name} is ${file.size} bytes, a manifest has at most ${MAX_MANIFEST_BYTES}`);
  const jws = (await file.text()).trim();
  return { jws, payload: readRelease(jws).release };
}

export type ManifestFacts = Pick<ReleasePayload, "type" | "hardware" | "chip" | "version" | "build" | "size">;

async function readKey(file: File): Promise<JWK> {
  if (file.size > MAX_KEY_BYTES)
    throw new Error(
      `${file.name} is ${file.size} bytes, not a key: choose the .jwk of \`skyslot keys init\``,
    );
  let key: JWK;
  try {
    key = JSON.parse(await file.text()) as JWK;
  } catch {
    throw new Error(`${file.name} is not JSON: choose the .jwk of \`skyslot keys init\``);
  }
  if (typeof key?.d !== "string")
    throw new Error(
      `${file.name} contains a public key: signing needs the private one, without .pub in its name`,
    );
  return key;
}
