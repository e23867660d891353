// Globals of Node that tests compare with, and chai expects, for tests that run inside XS: thin classes that call Node over
// the bridge, so that what core is compared with stays Node's. Injected into the bundle by run-tests-in-xs.ts.

import { decode, decodeStrictly, encode, encodeForm } from "skyslot:node";

export class TextEncoder {
  encode(text: string): Uint8Array {
    return encode(text, "utf8");
  }
}

export class TextDecoder {
  readonly #isStrict: boolean;

  constructor(_label?: string, options: { readonly fatal?: boolean } = {}) {
    this.#isStrict = options.fatal ?? false;
  }

  decode(bytes: Uint8Array): string {
    return this.#isStrict ? decodeStrictly(bytes) : decode(bytes, "utf8");
  }
}

export class URLSearchParams {
  readonly #fields: Record<string, string>;

  constructor(fields: Record<string, string>) {
    this.#fields = fields;
  }

  toString(): string {
    return encodeForm(this.#fields);
  }
}

// @ts-expect-error: its `from` has other parameters, as in Node
export class Buffer extends Uint8Array {
  static override from(source: string | ArrayLike<number>, encoding = "utf8"): Buffer {
    const bytes = typeof source === "string" ? encode(source, encoding) : source;
    const buffer = new Buffer(bytes.length);
    buffer.set(bytes);
    return buffer;
  }

  static alloc(length: number, fill = 0): Buffer {
    const buffer = new Buffer(length);
    buffer.fill(fill);
    return buffer;
  }

  static concat(parts: readonly Uint8Array[]): Buffer {
    const whole = new Buffer(parts.reduce((length, part) => length + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      whole.set(part, offset);
      offset += part.length;
    }
    return whole;
  }

  static compare(first: Uint8Array, second: Uint8Array): number {
    const [one, other] = [decode(first, "hex"), decode(second, "hex")];
    return one < other ? -1 : one > other ? 1 : 0;
  }

  override toString(encoding = "utf8"): string {
    return decode(this, encoding);
  }

  readUInt16BE(offset: number): number {
    return ((this[offset] ?? 0) << 8) | (this[offset + 1] ?? 0);
  }

  readUInt32BE(offset: number): number {
    return this.readUInt16BE(offset) * 0x10000 + this.readUInt16BE(offset + 2);
  }
}

/** chai creates these when it is loaded; they have no listeners. */
export class EventTarget {
  addEventListener(): void {}
  dispatchEvent(): void {}
}
export class Event {}
