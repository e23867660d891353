// Text and bytes without the host's help: XS has no TextEncoder global, and core imports no platform module.
// Byte-by-byte JavaScript costs about 1400 instructions a byte on the chip: for manifests and headers only, never for images.

/** UTF-8 bytes of a text. Lone surrogates become U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const bytes = new Uint8Array(utf8Length(text));
  let position = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i) ?? 0;
    i += unitsOf(code);
    position = putCharacter(bytes, position, isSurrogate(code) ? 0xfffd : code);
  }
  return bytes;
}

/** How many bytes a text has as UTF-8. */
export function utf8Length(text: string): number {
  let sizeBytes = 0;
  for (let i = 0; i < text.length; ) {
    const code = text.codePointAt(i) ?? 0;
    i += unitsOf(code);
    sizeBytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return sizeBytes;
}

/** Where other engines have two halves, XS has one character. */
const ASTRAL_UNITS = "\u{10000}".length;
const unitsOf = (code: number): number => (code < 0x10000 ? 1 : ASTRAL_UNITS);
const isSurrogate = (code: number): boolean => code >= 0xd800 && code < 0xe000;

function putCharacter(bytes: Uint8Array, at: number, code: number): number {
  let position = at;
  const rest = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  bytes[position++] = (LEAD[rest] ?? 0) | (code >> (6 * rest));
  for (let shift = 6 * (rest - 1); shift >= 0; shift -= 6) bytes[position++] = 0x80 | ((code >> shift) & 63);
  return position;
}

/** First bits of a character by the count of bytes that follow. */
const LEAD: readonly number[] = Object.freeze([0, 0xc0, 0xe0, 0xf0]);

/** The text of UTF-8 bytes; `undefined` if they are not valid UTF-8. */
export function utf8Decode(bytes: Uint8Array): string | undefined {
  const text = byteText(bytes);
  return /[^\0-\x7f]/.test(text) ? decodeCharacters(bytes) : text;
}

function decodeCharacters(bytes: Uint8Array): string | undefined {
  const pieces: string[] = [];
  let text = "";
  let offset = 0;
  while (offset < bytes.length) {
    const first = bytes[offset++] ?? 0;
    const extra = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if ((first >= 0x80 && first < 0xc2) || first >= 0xf5 || offset + extra > bytes.length) return undefined;
    let code = extra === 0 ? first : first & (0x3f >> extra);
    for (let i = 0; i < extra; i++) {
      const next = bytes[offset++] ?? 0;
      if ((next & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (next & 63);
    }
    if (code > 0x10ffff || code < (LEAST[extra] ?? 0) || isSurrogate(code)) return undefined;
    text += String.fromCodePoint(code);
    if (text.length < CHARACTERS_A_STEP) continue;
    pieces.push(text);
    text = "";
  }
  return pieces.join("") + text;
}

/** Smallest code point with this number of continuation bytes: a longer form of a smaller one is an attack, not text. */
const LEAST: readonly number[] = Object.freeze([0, 0x80, 0x800, 0x10000]);

/** Text of bytes up to the first zero, one character a byte: C strings of image headers and NVS. */
export function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0) break;
    text += String.fromCharCode(byte);
  }
  return text;
}

/** More at once would not fit the stack of XS; one at a time would fill its heap with the texts in between. */
const CHARACTERS_A_STEP = 32;

/** Text of bytes, one character a byte. */
export function byteText(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let offset = 0; offset < bytes.length; offset += CHARACTERS_A_STEP) {
    pieces.push(charactersOf(bytes.subarray(offset, offset + CHARACTERS_A_STEP)));
  }
  return pieces.join("");
}

/** An array of bytes does for `apply`, and XS takes it as it is; spread it would go through an iterator. */
const charactersOf = (bytes: Uint8Array): string =>
  String.fromCharCode.apply(undefined, bytes as unknown as number[]);

const HEX = "0123456789abcdef";

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX.charAt(byte >> 4) + HEX.charAt(byte & 15);
  return text;
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Value of each ASCII character in base64url, 255 where there is none: a table look-up costs less than a search on the chip. */
const BASE64URL_VALUE: readonly number[] = Object.freeze(
  Array.from({ length: 128 }, (_, code) => {
    const value = BASE64URL.indexOf(String.fromCharCode(code));
    return value < 0 ? 255 : value;
  }),
);

/**
 * Bytes of base64url without padding (RFC 4648 §5, as RFC 7515 uses it), of a part of a text without a copy of the part; `undefined`
 * if it is not.
 */
export function base64UrlDecode(text: string, start = 0, end = text.length): Uint8Array | undefined {
  const length = end - start;
  if (length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((length * 3) / 4));
  let position = 0;
  let bits = 0;
  let held = 0;
  for (let i = start; i < end; i++) {
    const value = BASE64URL_VALUE[text.charCodeAt(i)] ?? 255;
    if (value === 255) return undefined;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[position++] = (held >> bits) & 255;
    }
  }
  const leftover = held & ((1 << bits) - 1);
  return leftover === 0 ? bytes : undefined;
}

/** The inverse: base64url without padding. */
export function base64UrlEncode(bytes: Uint8Array): string {
  let text = "";
  for (let bit = 0; bit < bytes.length * 8; bit += 6) {
    const pair = ((bytes[bit >> 3] ?? 0) << 8) | (bytes[(bit >> 3) + 1] ?? 0);
    text += BASE64URL.charAt((pair >> (10 - (bit & 7))) & 63);
  }
  return text;
}

/** Whether two byte strings are equal. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether two texts are equal, in a time that depends on their lengths only: for secrets. */
export function textsEqual(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ (b.charCodeAt(i % (b.length || 1)) || 0);
  return difference === 0;
}
