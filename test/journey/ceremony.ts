// Trust roots with real keys, signed with Node's own crypto: for devices that verify them, and for attackers that try to get around it.

import { sign as ecdsa, generateKeyPairSync, type KeyObject } from "node:crypto";
import { thumbprint } from "../../firmware/core/trust/thumbprint.js";
import type { KeyPoint, RootPayload } from "../../firmware/core/wire.js";

/** A key that signs roots, or releases. */
export interface Holder {
  readonly point: KeyPoint;
  readonly privateKey: KeyObject;
}

export function makeHolder(): Holder {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  return { point: { x, y }, privateKey };
}

export interface RootSigner {
  readonly holder: Holder;
  readonly key: number;
  readonly of?: "new" | "old";
}

/** The text of a root with these signatures, whether they count or not. */
export function signRoot(payload: RootPayload, signers: readonly RootSigner[]): string {
  const encoded = encode(payload);
  const signatures = signers.map(({ holder, key, of = "new" }) => {
    const header = encode({ alg: "ES256", typ: "skyslot-root", key, of });
    return { protected: header, signature: signatureOf(`${header}.${encoded}`, holder) };
  });
  return JSON.stringify({ payload: encoded, signatures });
}

/** What one key has signed, as a member of a JWS in General JSON Serialization, and the payload. @param header besides the algorithm */
export function signPart(payload: object, header: object, holder: Holder) {
  const head = encode({ alg: "ES256", ...header });
  const encoded = encode(payload);
  return { payload: encoded, protected: head, signature: signatureOf(`${head}.${encoded}`, holder) };
}

/** A statement of freshness by this key. */
export function signStatement(payload: object, holder: Holder): string {
  const kid = thumbprint(holder.point);
  const signed = `${encode({ alg: "ES256", typ: "skyslot-freshness", kid })}.${encode(payload)}`;
  return `${signed}.${signatureOf(signed, holder)}`;
}

const signatureOf = (input: string, { privateKey }: Holder): string =>
  ecdsa("sha256", Buffer.from(input), { key: privateKey, dsaEncoding: "ieee-p1363" }).toString("base64url");

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
