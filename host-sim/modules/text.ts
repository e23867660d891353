// `text/encoder` and `text/decoder`: UTF-8 only, as in the SDK: a lone surrogate is encoded as it is, and the decoder
// counts broken sequences differently from a browser's.

import { encodeText } from "../engine/realm.js";
import type { Machine } from "../machine/machine.js";
import { optionsOf } from "./conversion.js";
import type { Native } from "./native.js";

const REPLACEMENT = "\ufffd";
const BYTE_ORDER_MARK = "\ufeff";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export function createTextEncoder(machine: Machine, native: Native): new () => object {
  const { realm } = machine;
  return class TextEncoder {
    encode(...parameters: [unknown?]): Uint8Array {
      native.needArguments(parameters, 1);
      return new realm.Uint8Array(native.arrayBuffer(encodeText(native.text(parameters[0]))));
    }

    encodeInto(...parameters: [unknown?, unknown?]): object {
      native.needArguments(parameters, 2);
      const target = native.bytesOf(parameters[1]);
      let read = 0;
      let written = 0;
      for (const character of native.text(parameters[0])) {
        const bytes = encodeText(character);
        if (written + bytes.length > target.length) break;
        target.set(bytes, written);
        written += bytes.length;
        read += character.length;
      }
      return realm.object({ read, written });
    }
  };
}

export function createTextDecoder(native: Native): new () => object {
  return class TextDecoder {
    readonly #fatal: boolean;
    readonly #ignoreByteOrderMark: boolean;
    #rest: Uint8Array = new Uint8Array(0);

    constructor(...parameters: [unknown?, unknown?]) {
      if (parameters.length > 0 && native.text(parameters[0]) !== "utf-8") {
        throw native.rangeError("unsupported encoding");
      }
      const options = parameters.length > 1 ? optionsOf(native, parameters[1]) : {};
      this.#fatal = Boolean("fatal" in options && options.fatal);
      this.#ignoreByteOrderMark = Boolean("ignoreBOM" in options && options.ignoreBOM);
    }

    decode(...parameters: [unknown?, unknown?]): string {
      const options = parameters.length > 1 ? optionsOf(native, parameters[1]) : {};
      const isStream = Boolean("stream" in options && options.stream);
      const given = parameters.length > 0 ? native.bytesOf(parameters[0]) : new Uint8Array(0);
      const bytes = this.#rest.length > 0 ? Uint8Array.from([...this.#rest, ...given]) : given;
      const { text, used } = decodeUtf8(bytes, isStream);
      if (text === undefined || (this.#fatal && text.isBroken)) throw native.typeError("invalid utf-8");
      this.#rest = isStream ? bytes.slice(used) : new Uint8Array(0);
      const hasMark = text.value.startsWith(BYTE_ORDER_MARK) && !this.#ignoreByteOrderMark;
      return hasMark ? text.value.slice(1) : text.value;
    }

    get encoding(): string {
      return "utf-8";
    }

    get ignoreBOM(): boolean {
      return this.#ignoreByteOrderMark;
    }

    get fatal(): boolean {
      return this.#fatal;
    }
  };
}

/** Decodes up to the end, or in a stream up to a sequence that is not complete yet. */
function decodeUtf8(
  bytes: Uint8Array,
  isStream: boolean,
): { readonly text: { readonly value: string; readonly isBroken: boolean }; readonly used: number } {
  let value = "";
  let isBroken = false;
  let position = 0;
  const replace = (length: number): void => {
    value += REPLACEMENT;
    isBroken = true;
    position += length;
  };
  while (position < bytes.length) {
    const first = bytes[position]!;
    const length = sequenceLength(first);
    if (length === 0) {
      replace(1);
    } else if (position + length > bytes.length) {
      if (isStream) break;
      replace(1);
    } else {
      const sequence = bytes.subarray(position, position + length);
      const character = decodeSequence(sequence);
      if (character === undefined) {
        replace(1 + goodContinuationCount(sequence));
      } else {
        value += character;
        position += length;
      }
    }
  }
  return { text: { value, isBroken }, used: position };
}

/** 0 for a byte that cannot begin a sequence. */
function sequenceLength(first: number): number {
  if (first < 0x80) return 1;
  if ((first & 0xe0) === 0xc0) return 2;
  if ((first & 0xf0) === 0xe0) return 3;
  return (first & 0xf0) === 0xf0 ? 4 : 0;
}

function decodeSequence(sequence: Uint8Array): string | undefined {
  try {
    return decoder.decode(sequence);
  } catch {
    return undefined;
  }
}

/** How many bytes after the first of a bad sequence are consumed with it. */
function goodContinuationCount(sequence: Uint8Array): number {
  const first = sequence[0]!;
  if (first > 0xf4) return 0;
  const low = first === 0xe0 ? 0xa0 : 0x80;
  const high = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  const rest = [...sequence.subarray(1)];
  const bad = rest.findIndex((byte) => byte < (first === 0xf0 ? 0x90 : low) || byte > high);
  return bad === -1 ? rest.length : bad;
}
