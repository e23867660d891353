// The form of everything that a release key signs: a JWS (RFC 7515) with ES256 signatures. Only reads it: verifying a signature is an effect,
// since it is native code. A manifest takes a large part of a device's memory, so no part of it is copied to be read.
//
//   compact   base64url(header) "." base64url(payload) "." base64url(r ‖ s)
//             └──────────── signed, ASCII ───────────┘
//   general   {"payload":"…","signatures":[{"protected":"…","signature":"…"}, …]}     signed by each: protected "." payload

import { base64UrlDecode, utf8Decode } from "../bytes.js";
import { asJsonObject, type JsonObject, readJsonObject } from "../json.js";

export interface SignedText {
  readonly keyId: string;
  /** General form: the header and a dot, which are signed before the payload. */
  readonly head?: string;
  /** General form: where the payload begins. */
  readonly signedStart?: number;
  /** Number of characters that are signed: all before the second dot, or those of the payload. */
  readonly signedLength: number;
  /** r and s, 32 bytes each. */
  readonly signature: Uint8Array;
}

const MAX_KEY_ID_LENGTH = 64;
const SIGNATURE_BYTES = 64;

/**
 * @param type the protected header's `typ`: what was signed for another purpose, by the same key, is refused
 * @returns its parts and the payload, which must not be trusted before the signature is verified; or a sentence that says what is wrong
 */
export function readJws(
  jws: string,
  type: string,
): { readonly signed: SignedText; readonly fields: JsonObject } | string {
  const headerEnd = jws.indexOf(".");
  const signedLength = jws.indexOf(".", headerEnd + 1);
  const isWhole = headerEnd > 0 && signedLength > headerEnd + 1 && signedLength < jws.length - 1;
  if (!isWhole || jws.indexOf(".", signedLength + 1) >= 0)
    return "a compact JWS has three parts with dots between them";
  const kid = keyIdOf(parseJson(jws, 0, headerEnd), type);
  if (kid === undefined) return headerProblem(type);
  const signature = base64UrlDecode(jws, signedLength + 1);
  if (signature?.length !== SIGNATURE_BYTES) return "an ES256 signature is 64 bytes";
  const fields = parseJson(jws, headerEnd + 1, signedLength);
  return fields
    ? { signed: { keyId: kid, signedLength, signature }, fields }
    : "payload is not a JSON object";
}

/**
 * The same of the general form.
 *
 * @returns its signatures, 1 to `maxCount`, none of which must be trusted, and the payload
 */
export function readGeneralJws(
  text: string,
  type: string,
  maxCount: number,
): { readonly signatures: readonly SignedText[]; readonly fields: JsonObject } | string {
  const envelope = readJsonObject(text);
  const payload = envelope?.get("payload");
  const entries = envelope?.get("signatures");
  const signedStart = typeof payload === "string" ? text.indexOf(payload) : -1;
  if (typeof payload !== "string" || signedStart < 0 || !Array.isArray(entries))
    return "a JWS in General JSON Serialization has a payload and signatures";
  if (entries.length === 0 || entries.length > maxCount)
    return `it has ${entries.length} signatures, 1 to ${maxCount} are read`;
  const signatures: SignedText[] = [];
  for (const entry of entries) {
    const header = asJsonObject(entry)?.get("protected");
    const encoded = asJsonObject(entry)?.get("signature");
    const keyId = typeof header === "string" ? keyIdOf(parseJson(header, 0, header.length), type) : undefined;
    if (keyId === undefined) return headerProblem(type);
    const signature = typeof encoded === "string" ? base64UrlDecode(encoded) : undefined;
    if (signature?.length !== SIGNATURE_BYTES) return "an ES256 signature is 64 bytes";
    signatures.push({ keyId, head: `${header}.`, signedStart, signedLength: payload.length, signature });
  }
  const fields = parseJson(payload, 0, payload.length);
  return fields ? { signatures, fields } : "payload is not a JSON object";
}

/** Of a protected header, if it is one of ours. What it calls critical (RFC 7515, 4.1.11) is not known here. */
function keyIdOf(header: JsonObject | undefined, type: string): string | undefined {
  const kid = header?.get("kid");
  const isOurs = header?.get("alg") === "ES256" && header.get("typ") === type && !header.has("crit");
  return isOurs && typeof kid === "string" && kid.length <= MAX_KEY_ID_LENGTH ? kid : undefined;
}

const headerProblem = (type: string): string =>
  `header must say alg ES256, typ ${type} and a kid of at most ${MAX_KEY_ID_LENGTH} characters`;

function parseJson(text: string, start: number, end: number): JsonObject | undefined {
  const json = decodeText(text, start, end);
  return json === undefined ? undefined : readJsonObject(json);
}

/** The decoded bytes are free when this returns. */
function decodeText(text: string, start: number, end: number): string | undefined {
  const bytes = base64UrlDecode(text, start, end);
  return bytes && utf8Decode(bytes);
}
