// Writes DER (X.690), as far as an X.509 certificate needs it. It reads nothing: what others have written is parsed by OpenSSL, in node:crypto.
//
//   ┌─────┬────────────────────────────┬─────────┐   length: one byte up to 127,
//   │ tag │ length                     │ content │   else 0x80 + the number of bytes that follow, and these, high byte first
//   └─────┴────────────────────────────┴─────────┘

const TAGS = Object.freeze({
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
});

/** Any tag and its content. */
function element(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content.length)]), content]);
}

export const sequence = (...parts: readonly Uint8Array[]): Buffer => element(TAGS.sequence, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => element(TAGS.set, ...parts);
export const octetString = (content: Uint8Array): Buffer => element(TAGS.octetString, content);
export const utf8 = (text: string): Buffer => element(TAGS.utf8, Buffer.from(text));
export const truth = (): Buffer => element(TAGS.boolean, Buffer.from([0xff]));

/** @param magnitude high byte first, not negative */
export function integer(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const bytes = magnitude.subarray(start);
  // Else its first bit would be a sign.
  const isHigh = (bytes[0] ?? 0) >= 0x80;
  return element(TAGS.integer, Buffer.from(isHigh || bytes.length === 0 ? [0] : []), bytes);
}

/** @param unusedBits of its last byte */
export const bitString = (content: Uint8Array, unusedBits = 0): Buffer =>
  element(TAGS.bitString, Buffer.from([unusedBits]), content);

/** @param text such as `2.5.29.17` */
export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return element(TAGS.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** Two digits of a year before 2050, four of a later one (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const digits = `${new Date(ms).toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;
  return digits < "2050"
    ? element(TAGS.utcTime, Buffer.from(digits.slice(2)))
    : element(TAGS.generalizedTime, Buffer.from(digits));
}

/** `[n]` around something else. */
export const tagged = (n: number, ...contents: readonly Uint8Array[]): Buffer =>
  element(0xa0 + n, ...contents);

/** `[n]` in place of its own tag, of something that is not composed. */
export const tagAs = (n: number, content: Uint8Array): Buffer => element(0x80 + n, content);

function lengthOf(count: number): number[] {
  if (count < 0x80) return [count];
  const bytes: number[] = [];
  for (let rest = count; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return [0x80 + bytes.length, ...bytes];
}

function base128(value: number): number[] {
  const bytes = [value % 128];
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128))
    bytes.unshift((rest % 128) + 0x80);
  return bytes;
}
