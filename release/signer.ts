// What signs: a private key in JWK form, or something else that holds one (server/cli/command-signer.ts). Each signature is verified before
// anybody gets it. Runs in Node and in the page that signs without a network.

import { base64url, type CryptoKey, flattenedVerify, importJWK, type JWK } from "jose";
import { KeyError } from "./error.js";
import { publicPart } from "./keys.js";

export interface Signer {
  readonly publicKey: JWK;
  /** ES256 (RFC 7518, 3.4): r‖s, 64 bytes. @throws KeyError */
  sign(input: Uint8Array): Promise<Uint8Array>;
  /** What is probably wrong if a signature does not belong to the public key. */
  readonly doubt: string;
}

/** A private key, or what holds one. */
export type SigningKey = JWK | Signer;

/** One signature of a JWS in JSON form (RFC 7515, 7.2). */
export interface SignatureMember {
  readonly protected: string;
  readonly signature: string;
}

/**
 * Signs a payload.
 * @param header protected, without `alg`
 * @param payload base64url
 * @throws KeyError if the signature does not belong to the key
 */
export async function signMember(header: object, payload: string, key: SigningKey): Promise<SignatureMember> {
  const signer = signerOf(key);
  const encoded = base64url.encode(JSON.stringify({ alg: "ES256", ...header }));
  const signature = base64url.encode(await signer.sign(bytesOf(`${encoded}.${payload}`)));
  const member = { protected: encoded, signature };
  // Not every engine compares the parts of a key: another private part would sign what no device accepts.
  const publicKey = await importJWK(publicPart(signer.publicKey), "ES256");
  await flattenedVerify({ ...member, payload }, publicKey, { algorithms: ["ES256"] }).catch((cause) => {
    throw new KeyError(signer.doubt, { cause });
  });
  return member;
}

export const publicKeyOf = (key: SigningKey): JWK => publicPart(isSigner(key) ? key.publicKey : key);

const isSigner = (key: SigningKey): key is Signer => typeof (key as Signer).sign === "function";

const signerOf = (key: SigningKey): Signer => (isSigner(key) ? key : keySigner(key));

const DAMAGED = "the key is damaged: its private part does not belong to its public part";

function keySigner(privateKey: JWK): Signer {
  const sign = async (input: Uint8Array): Promise<Uint8Array> => {
    try {
      const key = (await importJWK(privateKey, "ES256")) as CryptoKey;
      const algorithm = { name: "ECDSA", hash: "SHA-256" };
      return new Uint8Array(await crypto.subtle.sign(algorithm, key, Uint8Array.from(input)));
    } catch (cause) {
      throw new KeyError(DAMAGED, { cause });
    }
  };
  return { publicKey: privateKey, sign, doubt: DAMAGED };
}

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
