// Conversions of the SDK's native code that the storage and text modules share: strings into buffers of a fixed size,
// formats, 64-bit integers. Errors are the device realm's, with XS's messages.

import { encodeCText } from "../hardware/c-text.js";
import type { Native } from "./native.js";

/** The formats of ECMA-419 that the SDK knows, whether or not a module supports them. */
const FORMATS: ReadonlySet<string> = new Set([
  "number",
  "buffer",
  "string",
  "socket/tcp",
  "uint8",
  "int8",
  "uint16",
  "int16",
  "uint32",
  "int32",
  "uint64",
  "int64",
  "buffer/disposable",
]);

/** builtinInitializeFormat: the option `format`, or "buffer" if it is absent or falsy. */
export function formatOption(native: Native, options: object): string {
  if (!("format" in options) || !options.format) return "buffer";
  const format = native.text(options.format);
  if (!FORMATS.has(format)) throw native.rangeError("unsupported");
  return format;
}

/** builtinSetFormat: the value of an assignment to `format`. */
export function knownFormat(native: Native, value: unknown): string {
  const format = native.text(value);
  if (!FORMATS.has(format) || format === "buffer/disposable") throw native.rangeError("unknown");
  return format;
}

/** Options of open: anything with properties. */
export function optionsOf(native: Native, value: unknown): object {
  if (value === undefined || value === null) {
    throw native.typeError(`cannot coerce ${value} to object`);
  }
  return Object(value) as object;
}

/** xsmcToStringBuffer: a string whose UTF-8 and final zero fit into `sizeBytes`. */
export function boundedString(native: Native, value: unknown, sizeBytes: number): string {
  const text = native.text(value);
  if (encodeCText(text).length + 1 > sizeBytes) throw native.rangeError("cannot buffer string");
  return text;
}

/** fxToBigInt: numbers are not converted. */
export function toBigInt(native: Native, value: unknown): bigint {
  switch (typeof value) {
    case "bigint":
      return value;
    case "boolean":
      return value ? 1n : 0n;
    case "string":
      try {
        return BigInt(value);
      } catch {
        throw native.syntaxError("cannot coerce string to bigint");
      }
    case "object":
      if (value !== null) return toBigInt(native, (value as { valueOf(): unknown }).valueOf());
      throw native.typeError("cannot coerce null to bigint");
    default:
      throw native.typeError(`cannot coerce ${typeof value} to bigint`);
  }
}
