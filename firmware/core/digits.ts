// Numbers in texts from outside: only digits count, and no more of them than a number holds exactly. What Number() would take besides
// (signs, blanks, hexadecimal, exponents, the empty text) is none.

/** Of these any value is a safe integer. */
const MAX_DIGITS = 15;
const MAX_HEX_DIGITS = 13;

/** The number that 1 to `maxDigits` decimal digits say; `undefined`: it is another text. */
export function readDigits(text: string, maxDigits: number = MAX_DIGITS): number | undefined {
  if (text === "" || text.length > maxDigits) return undefined;
  for (let at = 0; at < text.length; at++) if (digitOf(text.charCodeAt(at)) > 9) return undefined;
  return Number(text);
}

/** The number that 1 to 13 hexadecimal digits say; `undefined`: it is another text. */
export function readHexDigits(text: string): number | undefined {
  if (text === "" || text.length > MAX_HEX_DIGITS) return undefined;
  let number = 0;
  for (let at = 0; at < text.length; at++) {
    const value = digitOf(text.charCodeAt(at));
    if (value > 15) return undefined;
    number = number * 16 + value;
  }
  return number;
}

const NO_DIGIT = 99;

/** Of a digit by its code, 0 to 15. */
function digitOf(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : NO_DIGIT;
}
