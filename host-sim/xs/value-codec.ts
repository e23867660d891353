// Values of JavaScript as bytes, as native/values.c reads and writes them: the tags are listed there. What is no plain data goes
// by a number that the bridge gives it. It keeps no state.

import { decodeCText, encodeCText } from "../hardware/c-text.js";

/** Where numbers for objects and functions come from. */
export interface References {
  /** Number of an object or function that stays in Node. */
  numberOf(object: object): number;
  objectOf(number: number): object;
  /** Number of a function of XS, if it is one. */
  callbackNumberOf(value: object): number | undefined;
  callbackOf(number: number): object;
  /** The device's global object: each side has its own. */
  isGlobal(value: object): boolean;
}

export class FrameWriter {
  #bytes = Buffer.alloc(256);
  #length = 0;
  readonly #references: References;

  constructor(references: References) {
    this.#references = references;
  }

  /** What was written; later writes may change it. */
  get bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  byte(value: number): this {
    this.#reserve(1);
    this.#length = this.#bytes.writeUInt8(value & 0xff, this.#length);
    return this;
  }

  tag(tag: string): this {
    return this.byte(tag.charCodeAt(0));
  }

  uint32(value: number): this {
    this.#reserve(4);
    this.#length = this.#bytes.writeUInt32LE(value >>> 0, this.#length);
    return this;
  }

  number(value: number): this {
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  sized(bytes: Uint8Array): this {
    return this.uint32(bytes.length).raw(bytes);
  }

  text(text: string): this {
    return this.sized(encodeCText(text));
  }

  value(value: unknown): this {
    switch (typeof value) {
      case "undefined":
        return this.tag("u");
      case "boolean":
        return this.tag(value ? "t" : "f");
      case "number":
        if (Object.is(value | 0, value)) return this.tag("i").uint32(value);
        return this.tag("d").number(value);
      case "string":
        return this.tag("s").text(value);
      case "bigint":
        return this.tag("g").value(value.toString());
      case "object":
      case "function":
        return value === null ? this.tag("n") : this.#object(value);
      default:
        throw new TypeError(`a ${typeof value} does not go across to XS`);
    }
  }

  #object(value: object): this {
    const references = this.#references;
    const callback = references.callbackNumberOf(value);
    if (callback !== undefined) return this.tag("c").uint32(callback);
    if (references.isGlobal(value)) return this.tag("y");
    if (value instanceof ArrayBuffer) return this.#buffer(value);
    if (ArrayBuffer.isView(value)) {
      return this.tag("v").sized(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    }
    if (value instanceof Error) return this.tag("e").value(value.name).value(value.message);
    if (Array.isArray(value)) return this.#many("a", value);
    if (value instanceof Map) return this.#many("m", [...value].flat());
    if (isPlainData(value)) return this.#many("o", Object.entries(value).flat());
    return this.tag("h").uint32(references.numberOf(value));
  }

  /** The UDP module's buffers carry address and port as properties. */
  #buffer(buffer: ArrayBuffer): this {
    const properties = Object.entries(buffer).flat();
    if (properties.length === 0) return this.tag("b").sized(new Uint8Array(buffer));
    return this.tag("x").sized(new Uint8Array(buffer)).#many("o", properties);
  }

  #many(tag: string, items: readonly unknown[]): this {
    this.tag(tag).uint32(items.length);
    for (const item of items) this.value(item);
    return this;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const longer = Buffer.alloc((this.#length + count) * 2);
    longer.set(this.#bytes);
    this.#bytes = longer;
  }
}

export class FrameReader {
  readonly #bytes: Buffer;
  readonly #references: References;
  #offset: number;

  constructor(bytes: Buffer, references: References, offset = 0) {
    this.#bytes = bytes;
    this.#references = references;
    this.#offset = offset;
  }

  get rest(): Buffer {
    return this.#bytes.subarray(this.#offset);
  }

  byte(): number {
    this.#offset += 1;
    return this.#bytes.readUInt8(this.#offset - 1);
  }

  uint32(): number {
    this.#offset += 4;
    return this.#bytes.readUInt32LE(this.#offset - 4);
  }

  number(): number {
    this.#offset += 8;
    return this.#bytes.readDoubleLE(this.#offset - 8);
  }

  /** A copy. */
  sized(): Uint8Array<ArrayBuffer> {
    const length = this.uint32();
    this.#offset += length;
    return new Uint8Array(this.#bytes.subarray(this.#offset - length, this.#offset));
  }

  text(): string {
    return decodeCText(this.sized());
  }

  value(): unknown {
    const tag = String.fromCharCode(this.byte());
    switch (tag) {
      case "u":
        return undefined;
      case "n":
        return null;
      case "t":
      case "f":
        return tag === "t";
      case "i":
        return this.uint32() | 0;
      case "d":
        return this.number();
      case "s":
        return this.text();
      case "b":
        return this.sized().buffer;
      case "v":
        return this.sized();
      case "w":
        return this.#wideArray(this.byte());
      case "g":
        return BigInt(String(this.value()));
      case "a":
        return this.#many();
      case "o":
        return Object.fromEntries(pairs(this.#many()).map(named));
      case "m":
        return new Map(pairs(this.#many()));
      case "e":
        return newError(String(this.value()), String(this.value()));
      case "h":
        return this.#references.objectOf(this.uint32());
      case "c":
        return this.#references.callbackOf(this.uint32());
      default:
        throw new Error(`XS sent a value with the unknown tag "${tag}"`);
    }
  }

  /** What no module takes for bytes: that the elements are wide is all that counts. */
  #wideArray(elementBytes: number): ArrayBufferView {
    const { buffer } = this.sized();
    if (elementBytes === 2) return new Uint16Array(buffer);
    return elementBytes === 4 ? new Uint32Array(buffer) : new Float64Array(buffer);
  }

  #many(): unknown[] {
    return Array.from({ length: this.uint32() }, () => this.value());
  }
}

/** What goes by value: an object of no class, with something in it, and without functions of Node. */
function isPlainData(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof value === "function" || (prototype !== Object.prototype && prototype !== null)) return false;
  const properties = Object.values(value);
  return properties.length > 0 && !properties.some((property) => typeof property === "function");
}

function pairs(flat: readonly unknown[]): [string, unknown][] {
  const result: [string, unknown][] = [];
  for (let i = 0; i < flat.length; i += 2) result.push([flat[i] as string, flat[i + 1]]);
  return result;
}

/** Gives a function the name of its property, as `{onDone() {}}` has it. */
function named([name, value]: [string, unknown]): [string, unknown] {
  if (typeof value === "function") Object.defineProperty(value, "name", { value: name });
  return [name, value];
}

const ERRORS: Readonly<Record<string, new (message: string) => Error>> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
};

function newError(name: string, message: string): Error {
  const error = new (ERRORS[name] ?? Error)(message);
  if (error.name !== name) error.name = name;
  return error;
}
