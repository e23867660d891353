// Signs and reads manifests: a manifest is a compact JWS (RFC 7515, ES256) over the payload. Runs in Node and in the page that signs
// without a network (sign-page).

import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  compactVerify,
  importJWK,
  type JWK,
} from "jose";
import { parseRelease, RELEASE_TYPE, type Release } from "../firmware/core/update/release.js";
import { MAX_LISTING_RELEASE_LENGTH, type ReleasePayload } from "../firmware/core/wire.js";
import { KeyError, ReleaseError } from "./error.js";
import { publicPart } from "./keys.js";

/**
 * Signs a payload, and reads the result as a device does.
 * @throws KeyError, ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE
 */
export const signRelease = (payload: ReleasePayload, privateKey: JWK): Promise<string> =>
  signPayload(payload, RELEASE_TYPE, privateKey, readRelease);

/**
 * A compact JWS over the JSON of a payload.
 * @param type the protected header's `typ`
 * @param read reads the result as a device does, and throws if a device would refuse it
 * @throws KeyError, and what `read` throws
 */
export async function signPayload(
  payload: object,
  type: string,
  privateKey: JWK,
  read: (jws: string) => SignedManifest,
): Promise<string> {
  const kid = await calculateJwkThumbprint(publicPart(privateKey));
  const key = await importPrivateKey(privateKey);
  const jws = await new CompactSign(new TextEncoder().encode(JSON.stringify(payload)))
    .setProtectedHeader({ alg: "ES256", typ: type, kid })
    .sign(key);
  // Not every engine compares the parts of a key: another private part would sign what no device accepts.
  await verifyReleaseSignature(read(jws), [privateKey]).catch((cause) => {
    throw damagedKey(cause);
  });
  return jws;
}

async function importPrivateKey(key: JWK): Promise<CryptoKey> {
  try {
    return (await importJWK(key, "ES256")) as CryptoKey;
  } catch (cause) {
    throw damagedKey(cause);
  }
}

const damagedKey = (cause: unknown): KeyError =>
  new KeyError("the key is damaged: its private part does not belong to its public part", {
    cause,
  });

/** What a release key has signed, of a release or a system. */
export interface SignedManifest {
  readonly jws: string;
  readonly keyId: string;
}

export interface ReadRelease extends SignedManifest {
  readonly release: Release;
}

/** Parses a manifest without checking its signature. @throws ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE */
export function readRelease(jws: string): ReadRelease {
  const parsed = parseRelease(jws);
  if (!parsed.ok) {
    const { code, message } = parsed.failure;
    if (code !== "RELEASE_TOO_LARGE") throw new ReleaseError("RELEASE_MALFORMED", message);
    throw new ReleaseError(code, `${message}: ${remedy(jws)}`);
  }
  return { jws, keyId: parsed.value.keyId, release: parsed.value.release };
}

/** How to make a manifest shorter. */
const remedy = (jws: string): string =>
  jws.length > MAX_LISTING_RELEASE_LENGTH
    ? "sign it in format 2, or with larger chunks"
    : "shorten its fields";

/** Throws unless one of the keys signed it. @throws ReleaseError KEY_UNKNOWN, SIGNATURE_INVALID */
export async function verifyReleaseSignature(
  { jws, keyId }: SignedManifest,
  trustedKeys: readonly JWK[],
): Promise<void> {
  for (const key of trustedKeys) {
    if ((await calculateJwkThumbprint(publicPart(key))) !== keyId) continue;
    try {
      await compactVerify(jws, await importJWK(publicPart(key), "ES256"), { algorithms: ["ES256"] });
      return;
    } catch (cause) {
      throw new ReleaseError("SIGNATURE_INVALID", `signature of key ${keyId} does not match the manifest`, {
        cause,
      });
    }
  }
  throw new ReleaseError("KEY_UNKNOWN", `key ${keyId} is not among the ${trustedKeys.length} trusted keys`);
}
