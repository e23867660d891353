// The signature of a release: a manifest is a compact JWS (RFC 7515, ES256) over what release-payload.ts makes. Runs in Node and in
// a browser, where the key stays.

import {
  CompactSign,
  type CryptoKey,
  calculateJwkThumbprint,
  compactVerify,
  importJWK,
  type JWK,
} from "jose";
import { parseRelease, RELEASE_TYPE, type Release } from "../../firmware/core/update/release.js";
import { MAX_LISTING_RELEASE_LENGTH, type ReleasePayload } from "../../firmware/core/wire.js";
import { Refusal } from "./refusal.js";

/** Signs a payload. The result was read back as a device reads it. @throws Refusal RELEASE_MALFORMED, RELEASE_TOO_LARGE */
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

/** Parses a manifest without judging its signature. @throws Refusal RELEASE_MALFORMED, RELEASE_TOO_LARGE */
export function readRelease(jws: string): ReadRelease {
  const parsed = parseRelease(jws);
  if (!parsed.ok) {
    const { code, message } = parsed.failure;
    if (code !== "RELEASE_TOO_LARGE") throw new Refusal("RELEASE_MALFORMED", message);
    throw new Refusal(code, `${message}: ${wayOut(jws)}`);
  }
  return { jws, keyId: parsed.value.keyId, release: parsed.value.release };
}

/** What makes a manifest shorter. */
const wayOut = (jws: string): string =>
  jws.length > MAX_LISTING_RELEASE_LENGTH ? "sign it in format 2, or with larger chunks" : "let it say less";

/** Throws unless one of the keys signed it. @throws Refusal KEY_UNKNOWN, SIGNATURE_INVALID */
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
      throw new Refusal("SIGNATURE_INVALID", `signature of key ${keyId} does not fit the manifest`, {
        cause,
      });
    }
  }
  throw new Refusal("KEY_UNKNOWN", `key ${keyId} is none of the ${trustedKeys.length} trusted keys`);
}

/** A key without what must stay secret. */
export function publicPart({ kty, crv, x, y }: JWK): JWK {
  if (kty !== "EC" || crv !== "P-256" || !x || !y) {
    throw new Refusal("KEY_UNKNOWN", `a release key is kty EC, crv P-256, not ${kty} ${crv ?? ""}`);
  }
  return { kty, crv, x, y };
}
