// Reads a submitted form (application/x-www-form-urlencoded, WHATWG URL 5.1) into a map. Stricter than the standard on purpose: a
// half-decoded password is worse than a refusal, so an invalid escape, invalid UTF-8 or a field given twice is an error.
// Never guesses, never throws.

import { utf8Decode, utf8Encode } from "../bytes.js";
import { fail, type Result, succeed } from "../errors.js";

/** Longest form, characters: what is read of a body. */
export const MAX_FORM_CHARACTERS = 2048;
export const MAX_FIELD_COUNT = 32;

export type FormErrorCode = "FORM_TOO_LARGE" | "FORM_MALFORMED";

const PERCENT = 0x25;
const PLUS = 0x2b;
const SPACE = 0x20;

/** Names and values, decoded. A name without `=` has an empty value. */
export function parseForm(body: string): Result<ReadonlyMap<string, string>, FormErrorCode> {
  if (body.length > MAX_FORM_CHARACTERS) {
    return fail(
      "FORM_TOO_LARGE",
      `The form is ${body.length} characters long; ${MAX_FORM_CHARACTERS} are allowed.`,
    );
  }
  const fields = new Map<string, string>();
  let start = 0;
  while (start < body.length) {
    const end = offsetOf("&", body, start);
    if (end > start) {
      const field = body.slice(start, end);
      const split = offsetOf("=", field, 0);
      const name = decode(field.slice(0, split));
      const value = decode(field.slice(split + 1));
      if (name === undefined || value === undefined) {
        return fail(
          "FORM_MALFORMED",
          `The field at character ${start} of the form is not valid percent-encoded UTF-8.`,
        );
      }
      if (fields.has(name)) return fail("FORM_MALFORMED", `The field "${name}" appears twice in the form.`);
      if (fields.size === MAX_FIELD_COUNT) {
        return fail("FORM_TOO_LARGE", `The form has more than ${MAX_FIELD_COUNT} fields.`);
      }
      fields.set(name, value);
    }
    start = end + 1;
  }
  return succeed(fields);
}

/** Where a character stands next, or the end. */
function offsetOf(character: string, text: string, start: number): number {
  const offset = text.indexOf(character, start);
  return offset < 0 ? text.length : offset;
}

/** One name or value; `undefined` if an escape or the UTF-8 is invalid. */
function decode(text: string): string | undefined {
  const bytes = utf8Encode(text);
  let length = 0; // what is decoded is never longer, so it is written over what was read
  for (let offset = 0; offset < bytes.length; offset++) {
    const byte = bytes[offset] ?? 0;
    if (byte !== PERCENT) {
      bytes[length++] = byte === PLUS ? SPACE : byte;
      continue;
    }
    if (offset + 2 >= bytes.length) return undefined;
    const high = hexDigit(bytes[offset + 1] ?? 0);
    const low = hexDigit(bytes[offset + 2] ?? 0);
    if (high < 0 || low < 0) return undefined;
    bytes[length++] = (high << 4) | low;
    offset += 2;
  }
  return utf8Decode(bytes.subarray(0, length));
}

/** Value of an ASCII hex digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
