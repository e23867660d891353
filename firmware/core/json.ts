// JSON, read and written as XS needs it.
//
// Reading: whatever comes from the air, from a person or from flash goes through `readJson`; nothing else in the firmware calls JSON.parse
// (test/firmware/core/json.test.ts looks). XS's own parser restarts the chip in three ways: nested values fill its stack (4 000 brackets),
// many small values its heap (2 000 zeros), and names of members that nobody has used before fill the heap for good, because the chip's XS
// never frees a property's name. So depth and count are bounded while the text is read, and objects are Maps, whose names are values.
//
// Writing: preloaded constants are in the chip's flash, and XS's JSON.stringify refuses objects there: it marks each object while it is
// inside ("TypeError: read only value").

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export interface JsonObject extends ReadonlyMap<string, JsonValue> {}

export interface JsonBounds {
  /** Arrays and objects inside one another. */
  readonly maxDepth: number;
  /** Values, arrays and objects included. */
  readonly maxValueCount: number;
}

/** Four orders with sixteen settings each, and an offer, are some 100 values, four deep. */
const BOUNDS: JsonBounds = Object.freeze({ maxDepth: 16, maxValueCount: 128 });
/** Of a number, `true`, `false` or `null`: a longer number is an attack. */
const MAX_WORD_CHARACTERS = 32;

/** The value; undefined if the text is not JSON, or exceeds the bounds. Never throws, and never recurses. */
export const readJson = (text: string, bounds: JsonBounds = BOUNDS): JsonValue | undefined =>
  new JsonReader(text, bounds).read();

/** The object; undefined if the text is anything else. */
export function readJsonObject(text: string, bounds: JsonBounds = BOUNDS): JsonObject | undefined {
  return asJsonObject(readJson(text, bounds));
}

export const asJsonObject = (value: JsonValue | undefined): JsonObject | undefined =>
  value instanceof Map ? value : undefined;

/** An array or an object whose end has not been read. */
interface Open {
  readonly into: JsonValue[] | Map<string, JsonValue>;
  /** Of the member that is read next, in an object. */
  name: string;
}

class JsonReader {
  readonly #text: string;
  readonly #maxDepth: number;
  #valuesLeft: number;
  #position = 0;
  readonly #open: Open[] = [];
  #whole: JsonValue | undefined;

  constructor(text: string, { maxDepth, maxValueCount }: JsonBounds) {
    this.#text = text;
    this.#maxDepth = maxDepth;
    this.#valuesLeft = maxValueCount;
  }

  read(): JsonValue | undefined {
    for (;;) {
      if (--this.#valuesLeft < 0) return undefined;
      const first = this.#next();
      const isContainer = first === "[" || first === "{";
      if (isContainer && !this.#opens(first)) return undefined;
      const isEmpty = isContainer && this.#next() === closing(this.#open.at(-1));
      if (isContainer && !isEmpty) {
        if (first === "{" && !this.#readName()) return undefined;
        continue;
      }
      const value = isContainer ? this.#close() : first === '"' ? this.#readText() : this.#readWord();
      if (value === undefined) return undefined;
      const next = this.#put(value);
      if (next === "whole") return this.#whole;
      if (next === "wrong" || (next === "name" && !this.#readName())) return undefined;
    }
  }

  /** The next character that is not a blank; it stays the next. Empty at the end. */
  #next(): string {
    while (isBlank(this.#text.charAt(this.#position))) this.#position++;
    return this.#text.charAt(this.#position);
  }

  #opens(bracket: "[" | "{"): boolean {
    this.#position++;
    if (this.#open.length === this.#maxDepth) return false;
    this.#open.push({ into: bracket === "[" ? [] : new Map<string, JsonValue>(), name: "" });
    return true;
  }

  #close(): JsonValue | undefined {
    this.#position++;
    return this.#open.pop()?.into;
  }

  /** Puts a value where it belongs, and closes what ends behind it. What has to follow: another value, or a name before it. */
  #put(value: JsonValue): "whole" | "wrong" | "name" | "value" {
    this.#whole = value;
    for (;;) {
      const open = this.#open.at(-1);
      const next = this.#next();
      if (!open) return next === "" ? "whole" : "wrong";
      if (open.into instanceof Map) open.into.set(open.name, this.#whole);
      else open.into.push(this.#whole);
      if (next === ",") {
        this.#position++;
        return open.into instanceof Map ? "name" : "value";
      }
      if (next !== closing(open)) return "wrong";
      this.#whole = this.#close() ?? null;
    }
  }

  /** The name of a member, and the colon behind it. */
  #readName(): boolean {
    const name = this.#next() === '"' ? this.#readText() : undefined;
    const open = this.#open.at(-1);
    if (name === undefined || !open || this.#next() !== ":") return false;
    this.#position++;
    open.name = name;
    return true;
  }

  /** From one quote to the other. A long text without escapes is not copied twice. */
  #readText(): string | undefined {
    const start = this.#position;
    const end = endOfText(this.#text, start + 1);
    if (end < 0) return undefined;
    this.#position = end + 1;
    const inner = this.#text.slice(start + 1, end);
    return /[^ -[\]-\uffff]/.test(inner) ? (parsed(`"${inner}"`) as string | undefined) : inner;
  }

  /** A number, `true`, `false` or `null`. */
  #readWord(): number | boolean | null | undefined {
    const start = this.#position;
    const last = start + MAX_WORD_CHARACTERS;
    while (this.#position <= last && !isDelimiter(this.#text.charAt(this.#position))) this.#position++;
    if (this.#position > last) return undefined;
    return parsed(this.#text.slice(start, this.#position)) as number | boolean | null | undefined;
  }
}

const closing = (open: Open | undefined): string => (open?.into instanceof Map ? "}" : "]");

const isBlank = (character: string): boolean =>
  character === " " || character === "\n" || character === "\r" || character === "\t";

/** Also the end, and what begins another value: that is no part of a word. */
const isDelimiter = (character: string): boolean => ',]}:"[{'.includes(character) || isBlank(character);

/** Position of the quote that ends a string: the first with an even number of backslashes before it. */
function endOfText(text: string, start: number): number {
  for (let quote = text.indexOf('"', start); quote >= 0; quote = text.indexOf('"', quote + 1)) {
    let first = quote;
    while (first > start && text.charAt(first - 1) === "\\") first--;
    if ((quote - first) % 2 === 0) return quote;
  }
  return -1;
}

/** One text or one word, in which there is nothing to nest. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** As JSON.stringify; of frozen objects and arrays it writes a copy. */
export const writeJson = (value: unknown): string => JSON.stringify(value, unfrozen);

function unfrozen(_name: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !Object.isFrozen(value)) return value;
  return Array.isArray(value) ? [...value] : { ...value };
}
