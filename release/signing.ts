// Signs and reads manifests: a manifest is a compact JWS (RFC 7515, ES256) over the payload. Runs in Node and in the page that signs
// without a network (sign-page).

import {
  base64url,
  calculateJwkThumbprint,
  decodeProtectedHeader,
  flattenedVerify,
  importJWK,
  type JWK,
} from "jose";
import { parseRelease, RELEASE_TYPE, type Release } from "../firmware/core/update/release.js";
import {
  type GeneralJws,
  MAX_LISTING_RELEASE_LENGTH,
  MAX_RELEASE_LENGTH,
  MAX_RELEASE_SIGNATURE_COUNT,
  type ReleasePayload,
} from "../firmware/core/wire.js";
import { ReleaseError } from "./error.js";
import { publicPart } from "./keys.js";
import { publicKeyOf, type SignatureMember, type SigningKey, signMember } from "./signer.js";

/**
 * Signs a payload, and reads the result as a device does.
 * @throws KeyError, ReleaseError RELEASE_MALFORMED, RELEASE_TOO_LARGE
 */
export async function signRelease(payload: ReleasePayload, key: SigningKey): Promise<string> {
  if (payload.format !== 3) return signPayload(payload, RELEASE_TYPE, key, readRelease);
  const [once, length] = await signFirst(payload, RELEASE_TYPE, key);
  if (length > MAX_RELEASE_LENGTH)
    throw new ReleaseError(
      "RELEASE_TOO_LARGE",
      `with two signatures the manifest has ${length} characters, devices read ${MAX_RELEASE_LENGTH}: shorten its fields, or take larger chunks`,
    );
  return readRelease(once).jws;
}

/**
 * The general form with its first signature, and how long it is with the second, which has to fit, too.
 * @param type the protected header's `typ`
 */
export async function signFirst(
  payload: object,
  type: string,
  key: SigningKey,
): Promise<readonly [once: string, length: number]> {
  const encoded = base64url.encode(JSON.stringify(payload));
  const first = await signMember(await headerOf(type, key), encoded, key);
  return [generalJws(encoded, [first]), generalJws(encoded, [first, first]).length];
}

/**
 * Adds a signature to a manifest of format 3; one by the same key is replaced. Verifies nothing: who signs has compared it with the image.
 * @throws KeyError, ReleaseError RELEASE_MALFORMED if it is of another format, or has two signatures by others
 */
export async function addReleaseSignature(jws: string, key: SigningKey): Promise<string> {
  const { type, version } = readRelease(jws).release;
  const added = await addSignature(jws, RELEASE_TYPE, key);
  if (typeof added === "string") return readRelease(added).jws;
  throw new ReleaseError(
    "RELEASE_MALFORMED",
    `the manifest of ${type} ${version} ${added.isGeneral ? `is signed by ${added.signerCount} other keys already` : "has room for one signature: sign it with --format 3"}`,
  );
}

/** The same of any manifest. @returns it, or why it has no room: it is compact, or others have signed it */
export async function addSignature(
  jws: string,
  type: string,
  key: SigningKey,
): Promise<string | { readonly isGeneral: boolean; readonly signerCount: number }> {
  const isGeneral = jws.startsWith("{");
  const header = await headerOf(type, key);
  const others = membersOf(jws)
    .filter(({ keyId }) => keyId !== header.kid)
    .map(({ protected: encoded, signature }) => ({ protected: encoded, signature }));
  if (!isGeneral || others.length >= MAX_RELEASE_SIGNATURE_COUNT)
    return { isGeneral, signerCount: others.length };
  const { payload } = JSON.parse(jws) as GeneralJws;
  return generalJws(payload, [...others, await signMember(header, payload, key)]);
}

const headerOf = async (type: string, key: SigningKey) => ({
  typ: type,
  kid: await calculateJwkThumbprint(publicKeyOf(key)),
});

const generalJws = (payload: string, signatures: readonly SignatureMember[]): string =>
  JSON.stringify({ payload, signatures } satisfies GeneralJws);

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
  const encoded = base64url.encode(JSON.stringify(payload));
  const member = await signMember(await headerOf(type, key), encoded, key);
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

/**
 * Throws unless enough different keys signed it. @param threshold how many
 * @throws ReleaseError KEY_UNKNOWN, SIGNATURE_INVALID, SIGNATURE_MISSING
 */
export async function verifyReleaseSignature(
  { jws }: Pick<SignedManifest, "jws">,
  trustedKeys: readonly JWK[],
  threshold = 1,
): Promise<void> {
  const keys = new Map<string, JWK>();
  for (const key of trustedKeys) keys.set(await calculateJwkThumbprint(publicPart(key)), publicPart(key));
  const members = membersOf(jws);
  const signers = new Set<string>();
  for (const { keyId, ...member } of members) {
    const key = keys.get(keyId);
    if (!key) continue;
    await flattenedVerify(member, await importJWK(key, "ES256"), { algorithms: ["ES256"] }).catch((cause) => {
      throw new ReleaseError("SIGNATURE_INVALID", `signature of key ${keyId} does not match the manifest`, {
        cause,
      });
    });
    signers.add(keyId);
  }
  if (signers.size >= threshold) return;
  if (signers.size === 0)
    throw new ReleaseError(
      "KEY_UNKNOWN",
      `key ${members.map(({ keyId }) => keyId).join(", ")} is not among the ${trustedKeys.length} trusted keys`,
    );
  throw new ReleaseError(
    "SIGNATURE_MISSING",
    `signed by ${signers.size} of the ${trustedKeys.length} trusted keys, ${threshold} are needed`,
  );
}

/** The ids of the keys that are said to have signed a manifest. */
export const signersOf = (jws: string): readonly string[] => membersOf(jws).map(({ keyId }) => keyId);

/** Its signatures, in the compact form or the general one. */
function membersOf(
  jws: string,
): readonly (SignatureMember & { readonly payload: string; readonly keyId: string })[] {
  const [header = "", payload = "", signature = ""] = jws.split(".");
  const general = jws.startsWith("{")
    ? (JSON.parse(jws) as GeneralJws)
    : { payload, signatures: [{ protected: header, signature }] };
  return general.signatures.map((member) => ({
    protected: member.protected,
    signature: member.signature,
    payload: general.payload,
    keyId: `${decodeProtectedHeader(member).kid}`,
  }));
}
