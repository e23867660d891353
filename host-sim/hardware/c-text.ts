// Text as XS hands it to C: UTF-8 that ends at the first zero byte. So a zero inside the text is the two bytes C0 80, and half of a
// surrogate pair, which no UTF-8 has, is three bytes. Both come back as they were.

const NUL = Buffer.of(0xc0, 0x80);
const LONE_SURROGATE = /\p{Surrogate}/u;
/** The first byte of a zero inside a text and of a surrogate: in well-formed UTF-8 the second begins Hangul too. */
const [NUL_LEAD, SURROGATE_LEAD] = [0xc0, 0xed];

/** Without the final zero. */
export function encodeCText(text: string): Uint8Array {
  if (!text.includes("\0") && text.isWellFormed()) return Buffer.from(text);
  return Buffer.concat([...text].map(encodeCharacter));
}

/** Up to the first zero byte, or the end. What is broken becomes U+FFFD. */
export function decodeCText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const text = Buffer.from(end < 0 ? bytes : bytes.subarray(0, end));
  if (!text.includes(NUL_LEAD) && !text.includes(SURROGATE_LEAD)) return text.toString("utf8");
  let decoded = "";
  let start = 0;
  for (let at = 0; at < text.length; at += 1) {
    const special = specialAt(text, at);
    if (special === undefined) continue;
    decoded += text.toString("utf8", start, at) + special.character;
    start = at + special.length;
    at = start - 1;
  }
  return decoded + text.toString("utf8", start);
}

function encodeCharacter(character: string): Uint8Array {
  if (character === "\0") return NUL;
  if (!LONE_SURROGATE.test(character)) return Buffer.from(character);
  const code = character.charCodeAt(0);
  return Buffer.of(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
}

function specialAt(text: Buffer, at: number): { character: string; length: number } | undefined {
  const [lead, second = 0, third = 0] = text.subarray(at, at + 3);
  if (lead === NUL_LEAD && second === 0x80) return { character: "\0", length: 2 };
  const isSurrogate = lead === SURROGATE_LEAD && second >= 0xa0 && second <= 0xbf && third >> 6 === 2;
  if (!isSurrogate) return undefined;
  return { character: String.fromCharCode(0xd000 | ((second & 0x3f) << 6) | (third & 0x3f)), length: 3 };
}
