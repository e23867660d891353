// Text and bytes without the host's help: XS has no TextEncoder global, and core imports no platform module.
// Byte-by-byte JavaScript costs about 1400 instructions a byte on the chip: for manifests and headers only, never for images.

/** UTF-8 bytes of a text. Lone surrogates become U+FFFD. */
export function utf8Encode(text: string): Uint8Array {
  const out: number[] = [];
  for (const character of text) {
    let code = character.codePointAt(0) ?? 0xfffd;
    if (code >= 0xd800 && code <= 0xdfff) code = 0xfffd;
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    else
      out.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      );
  }
  return Uint8Array.from(out);
}

/** The text of UTF-8 bytes; `undefined` if they are not valid UTF-8. */
export function utf8Decode(bytes: Uint8Array): string | undefined {
  let text = "";
  let offset = 0;
  while (offset < bytes.length) {
    const first = bytes[offset++] ?? 0;
    if (first < 0x80) {
      text += String.fromCharCode(first);
      continue;
    }
    const extra = first >= 0xf0 && first < 0xf5 ? 3 : first >= 0xe0 ? 2 : first >= 0xc2 ? 1 : 0;
    if (extra === 0 || first >= 0xf5 || offset + extra > bytes.length) return undefined;
    let code = first & (0x3f >> extra);
    for (let i = 0; i < extra; i++) {
      const next = bytes[offset++] ?? 0;
      if ((next & 0xc0) !== 0x80) return undefined;
      code = (code << 6) | (next & 63);
    }
    if (code > 0x10ffff || code < (LEAST[extra] ?? 0) || (code >= 0xd800 && code <= 0xdfff)) return undefined;
    text += String.fromCodePoint(code);
  }
  return text;
}

/** Smallest code point that needs so many continuation bytes: a longer form of a smaller one is an attack, not text. */
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
const CHARACTERS_A_STEP = 64;

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

/** Bytes of base64url without padding (RFC 4648 §5, as RFC 7515 uses it); `undefined` if it is not. */
export function base64UrlDecode(text: string): Uint8Array | undefined {
  const remainder = text.length % 4;
  if (remainder === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let position = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
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

/** The pieces as one, of `sizeBytes` bytes in all. */
export function concatenate(pieces: readonly Uint8Array[], sizeBytes: number): Uint8Array {
  const whole = new Uint8Array(sizeBytes);
  let offset = 0;
  for (const piece of pieces) {
    whole.set(piece, offset);
    offset += piece.length;
  }
  return whole;
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
