// Signs and reads manifests: a manifest is a compact JWS (RFC 7515, ES256) over the payload. Runs in Node and in the page that signs
// without a network (sign-page).

import { base64url, calculateJwkThumbprint, compactVerify, importJWK, type JWK } from "jose";
import { parseRelease, RELEASE_TYPE, type Release } from "../firmware/core/update/release.js";
import { MAX_LISTING_RELEASE_LENGTH, type ReleasePayload } from "../firmware/core/wire.js";
import { ReleaseError } from "./error.js";
import { publicPart } from "./keys.js";
import { publicKeyOf, type SigningKey, signMember } from "./signer.js";

/**
 * Signs a payload, and reads the result as a device does.
 * @throws KeyError, ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE
 */
export const signRelease = (payload: ReleasePayload, key: SigningKey): Promise<string> =>
  signPayload(payload, RELEASE_TYPE, key, readRelease);

/**
 * A compact JWS over the JSON of a payload.
 * @param type the protected header's `typ`
 * @param read reads the result as a device does, and throws if a device would refuse it
 * @throws KeyError, and what `read` throws
 */
export async function signPayload(
  payload: object,
  type: string,
  key: SigningKey,
  read: (jws: string) => SignedManifest,
): Promise<string> {
  const kid = await calculateJwkThumbprint(publicKeyOf(key));
  const encoded = base64url.encode(JSON.stringify(payload));
  const member = await signMember({ typ: type, kid }, encoded, key);
  return read(`${member.protected}.${encoded}.${member.signature}`).jws;
}

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
  const { signatures, release } = parsed.value;
  return { jws, keyId: signatures[0]?.keyId ?? "", release };
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
