// The keys that releases are signed with: ES256 pairs in JWK form. Runs in Node and in a browser.

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { ReleaseError } from "./error.js";

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

/** A key without its private part. @throws ReleaseError KEY_UNKNOWN unless it is a P-256 key */
export function publicPart({ kty, crv, x, y }: JWK): JWK {
  if (kty !== "EC" || crv !== "P-256" || !x || !y) {
    throw new ReleaseError("KEY_UNKNOWN", `a release key is kty EC, crv P-256, not ${kty} ${crv ?? ""}`);
  }
  return { kty, crv, x, y };
}
