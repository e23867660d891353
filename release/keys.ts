// The keys that releases are signed with: ES256 pairs in JWK form. Runs in Node and in a browser.

import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK } from "jose";
import { KeyError, ReleaseError } from "./error.js";

export interface KeyPair {
  readonly privateKey: JWK;
  readonly publicKey: JWK;
}

/** Longest text of a key that is read, in characters; `skyslot keys init` writes 250. */
export const MAX_KEY_LENGTH = 16 * 1024;
const EXPECTED = "the .jwk of `skyslot keys init`";

/** A fresh ES256 key pair; `kid` is the thumbprint (RFC 7638) in both. */
export async function makeReleaseKeys(): Promise<KeyPair> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const jwk = await exportJWK(privateKey);
  const publicKey = await describePublicKey(jwk);
  return { privateKey: { ...jwk, ...publicKey }, publicKey };
}

/** The public part with what it is for. @throws ReleaseError KEY_UNKNOWN unless it is a P-256 key */
export async function describePublicKey(jwk: JWK): Promise<JWK> {
  const key = publicPart(jwk);
  return { ...key, alg: "ES256", use: "sig", kid: await calculateJwkThumbprint(key) };
}

/** A key without its private part. @throws ReleaseError KEY_UNKNOWN unless it is a P-256 key */
export function publicPart({ kty, crv, x, y }: JWK): JWK {
  if (kty !== "EC" || crv !== "P-256" || !x || !y) {
    throw new ReleaseError("KEY_UNKNOWN", `a release key is kty EC, crv P-256, not ${kty} ${crv ?? ""}`);
  }
  return { kty, crv, x, y };
}

/** The key to sign with. @param name of its file, for the message @throws KeyError */
export function readPrivateKey(text: string, name: string): JWK {
  const key = readKey(text, name);
  if (typeof key.d !== "string")
    throw new KeyError(
      `${name} contains a public key: signing needs the private one, without .pub in its name`,
    );
  return key;
}

/** A key to verify with; a private part is left out. @throws KeyError */
export function readPublicKey(text: string, name: string): JWK {
  const { kid, ...key } = readKey(text, name);
  return { ...publicPart(key), ...(kid === undefined ? {} : { kid }) };
}

/** Of a server, which must never have a private one. @throws KeyError */
export function readTrustedKey(text: string, name: string): JWK {
  if (readKey(text, name).d !== undefined)
    throw new KeyError(
      `${name} contains a private key, which a server must not have: give it the one with .pub in its name, and keep this one elsewhere`,
    );
  return readPublicKey(text, name);
}

function readKey(text: string, name: string): JWK {
  if (text.length > MAX_KEY_LENGTH)
    throw new KeyError(`${name} has ${text.length} characters, it is not a key: choose ${EXPECTED}`);
  if (LOCKED.test(text))
    throw new KeyError(
      `${name} is locked with a passphrase: only the command line opens keys of \`skyslot keys init --passphrase\``,
    );
  if (PEM.test(text)) throw new KeyError(`${name} is in PEM form: choose ${EXPECTED}`);
  let key: unknown;
  try {
    key = JSON.parse(text);
  } catch {
    throw new KeyError(`${name} is not JSON: choose ${EXPECTED}`);
  }
  if (typeof key !== "object" || key === null) throw new KeyError(`${name} is not a key: choose ${EXPECTED}`);
  if ("ciphertext" in key)
    throw new KeyError(`${name} is locked with a passphrase: unlock it first, and choose the unlocked .jwk`);
  const { kty, crv, x, y } = key as JWK;
  if (kty !== "EC" || crv !== "P-256")
    throw new KeyError(
      `${name} is ${kindOf(key)}, not a key of kty EC and crv P-256 (ES256): choose ${EXPECTED}`,
    );
  if (typeof x !== "string" || typeof y !== "string" || x === "" || y === "")
    throw new KeyError(`${name} is a damaged key, its x or y is missing: choose ${EXPECTED}`);
  return key as JWK;
}

/** What a person may have taken for a release key. */
function kindOf(key: object): string {
  if (Array.isArray(key)) return "a list";
  const { kty, crv, keys } = key as JWK & { readonly keys?: unknown };
  if (Array.isArray(keys)) return "a set of keys";
  if (typeof kty !== "string") return "something else";
  return `a key of kty ${kty}${typeof crv === "string" ? ` and crv ${crv}` : ""}`;
}

const PEM = /-----BEGIN /;
/** Encrypted PEM (RFC 7468 and older), PGP, age, `openssl enc` (as bytes and in Base64), and JWE in its compact form (five parts). */
const LOCKED =
  /-----BEGIN (ENCRYPTED|PGP|AGE)|Proc-Type: 4,ENCRYPTED|^age-encryption\.org|^Salted__|^U2FsdGVkX1|^\s*[\w-]+(\.[\w-]*){4}\s*$/;
