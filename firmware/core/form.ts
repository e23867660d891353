// Reads a submitted form (application/x-www-form-urlencoded, WHATWG URL 5.1) into a map. Stricter than the standard on purpose: a
// half-decoded password is worse than a refusal, so an invalid escape, invalid UTF-8 or a field given twice is an error.
// Never guesses, never throws.

import { utf8Decode, utf8Encode } from "./bytes.js";
import { fail, type Result, succeed } from "./errors.js";

/** Longest form, bytes: what the runner reads of a body. */
export const MAX_FORM_BYTES = 4096;
export const MAX_FIELD_COUNT = 32;

export type FormErrorCode = "FORM_TOO_LARGE" | "FORM_MALFORMED";

const PERCENT = 0x25;
const AMPERSAND = 0x26;
const PLUS = 0x2b;
const EQUALS = 0x3d;
const SPACE = 0x20;

/** Names and values, decoded. A name without `=` has an empty value. */
export function parseForm(body: string): Result<ReadonlyMap<string, string>, FormErrorCode> {
  const bytes = utf8Encode(body);
  if (bytes.length > MAX_FORM_BYTES) {
    return fail("FORM_TOO_LARGE", `The form is ${bytes.length} bytes long; ${MAX_FORM_BYTES} are allowed.`);
  }
  const fields = new Map<string, string>();
  let start = 0;
  while (start < bytes.length) {
    const end = indexOf(bytes, AMPERSAND, start, bytes.length);
    if (end > start) {
      const split = indexOf(bytes, EQUALS, start, end);
      const name = decode(bytes, start, split);
      const value = decode(bytes, split + 1, end);
      if (name === undefined || value === undefined) {
        return fail(
          "FORM_MALFORMED",
          `The field at byte ${start} of the form is not valid percent-encoded UTF-8.`,
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

/** Offset of a byte between `start` and `end`, or `end`. */
function indexOf(bytes: Uint8Array, byte: number, start: number, end: number): number {
  for (let offset = start; offset < end; offset++) if (bytes[offset] === byte) return offset;
  return end;
}

/** One name or value; `undefined` if an escape or the UTF-8 is invalid. */
function decode(bytes: Uint8Array, start: number, end: number): string | undefined {
  const out: number[] = [];
  for (let offset = start; offset < end; offset++) {
    const byte = bytes[offset] ?? 0;
    if (byte !== PERCENT) {
      out.push(byte === PLUS ? SPACE : byte);
      continue;
    }
    if (offset + 2 >= end) return undefined;
    const high = hexDigit(bytes[offset + 1] ?? 0);
    const low = hexDigit(bytes[offset + 2] ?? 0);
    if (high < 0 || low < 0) return undefined;
    out.push((high << 4) | low);
    offset += 2;
  }
  return utf8Decode(Uint8Array.from(out));
}

/** Value of an ASCII hex digit, or -1. */
function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
