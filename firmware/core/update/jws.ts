// The form of everything that a release key signs: a compact JWS (RFC 7515) with an ES256 signature. Only reads it: verifying the signature
// is an effect, since it is native code. A manifest takes a large part of a device's memory, so no part of it is copied to be read.
//
//   base64url(header) "." base64url(payload) "." base64url(r ‖ s)
//   └──────────── signed, ASCII ───────────┘

import { base64UrlDecode, utf8Decode } from "../bytes.js";
import { type JsonObject, readJsonObject } from "../json.js";

export interface SignedText {
  readonly keyId: string;
  /** Number of characters that are signed: all before the second dot. */
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
  const header = parseJson(jws, 0, headerEnd);
  const alg = header?.get("alg");
  const kid = header?.get("kid");
  const typ = header?.get("typ");
  if (alg !== "ES256" || typ !== type || typeof kid !== "string" || kid.length > MAX_KEY_ID_LENGTH)
    return `header must say alg ES256, typ ${type} and a kid of at most ${MAX_KEY_ID_LENGTH} characters`;
  const signature = base64UrlDecode(jws, signedLength + 1);
  if (signature?.length !== SIGNATURE_BYTES) return "an ES256 signature is 64 bytes";
  const fields = parseJson(jws, headerEnd + 1, signedLength);
  return fields
    ? { signed: { keyId: kid, signedLength, signature }, fields }
    : "payload is not a JSON object";
}

function parseJson(text: string, start: number, end: number): JsonObject | undefined {
  const json = decodeText(text, start, end);
  return json === undefined ? undefined : readJsonObject(json);
}

/** The decoded bytes are free when this returns. */
function decodeText(text: string, start: number, end: number): string | undefined {
  const bytes = base64UrlDecode(text, start, end);
  return bytes && utf8Decode(bytes);
}
