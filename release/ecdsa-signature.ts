// ECDSA signatures over P-256 as tools write them: r‖s (RFC 7518, 3.4), DER (RFC 3279, 2.2.3), or either of them as Base64. Says what bytes
// may mean, and never whether a signature is right.

import { base64UrlDecode } from "../firmware/core/bytes.js";

/** Of r, and of s. */
const NUMBER_BYTES = 32;
/** Longest answer of a tool that is read: DER has at most 72 bytes, Base64 with line ends some 100. */
export const MAX_SIGNATURE_ANSWER_BYTES = 1024;

/** What an answer may mean, as r‖s, 64 bytes each: bytes that happen to look like DER may be r‖s as well. */
export function readSignature(answer: Uint8Array): readonly Uint8Array[] {
  const found = readBinary(answer);
  const text = new TextDecoder()
    .decode(answer)
    .replaceAll(/\s/g, "")
    .replace(/={1,2}$/, "");
  const decoded = base64UrlDecode(text.replaceAll("+", "-").replaceAll("/", "_"));
  return decoded ? [...found, ...readBinary(decoded)] : found;
}

function readBinary(answer: Uint8Array): readonly Uint8Array[] {
  const fromDer = readDer(answer);
  return [...(answer.length === 2 * NUMBER_BYTES ? [answer] : []), ...(fromDer ? [fromDer] : [])];
}

//   30 length  02 length r  02 length s        numbers without leading zeros, or with one in front of a set highest bit
function readDer(der: Uint8Array): Uint8Array | undefined {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return undefined;
  const signature = new Uint8Array(2 * NUMBER_BYTES);
  let offset = 2;
  for (const end of [NUMBER_BYTES, 2 * NUMBER_BYTES]) {
    const length = der[offset + 1] ?? 0;
    let number = der.subarray(offset + 2, offset + 2 + length);
    if (der[offset] !== 0x02 || length === 0 || number.length !== length) return undefined;
    if (number[0] === 0) number = number.subarray(1);
    if (number.length > NUMBER_BYTES) return undefined;
    signature.set(number, end - number.length);
    offset += 2 + length;
  }
  return offset === der.length ? signature : undefined;
}
