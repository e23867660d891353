// Damage for texts and JSON, of the kinds that parsers fall over: edges of numbers, depth, length, bytes that are no UTF-8, NULs, cuts,
// repeated and swapped parts.

import { below, chance, HOSTILE_TEXTS, hostileValue, pick, type Random } from "../values.js";

/** Numbers as texts. */
export const EDGE_NUMBERS: readonly string[] = Object.freeze([
  "0",
  "-0",
  "-1",
  "1",
  "+5",
  " 5",
  "5 ",
  "5,5",
  "5;5",
  "00000000000000000005",
  "0x10",
  "1e3",
  "1e999",
  "-1e999",
  "0.5",
  "NaN",
  "Infinity",
  "255",
  "256",
  "65535",
  "65536",
  "99999",
  "2147483647",
  "2147483648",
  "4294967295",
  "4294967296",
  "9007199254740991",
  "9007199254740992",
  "18446744073709551616",
  "9".repeat(30),
  "9".repeat(400),
  "",
  "abc",
  "٣",
  "ffffffffff",
  "-8000",
]);

/** Fragments that mean something to one parser or another. */
const FRAGMENTS: readonly string[] = Object.freeze([
  "\0",
  "\r\n",
  "\r\n\r\n",
  "\n",
  "\r",
  "\n\n",
  "\t",
  " ",
  ":",
  ";",
  ",",
  "=",
  "&",
  "%",
  "%00",
  "%zz",
  "%c3",
  "+",
  '"',
  "\\",
  "\\u0000",
  "\\ud800",
  "{",
  "}",
  "[",
  "]",
  "[[[[",
  "null",
  "\xff",
  "\xfe\xff",
  "\xc3",
  "\xc0\x80",
  "\xed\xa0\x80",
  "\xf4\x90\x80\x80",
  "\xef\xbb\xbf",
  "0\r\n\r\n",
  "HTTP/1.1 200 OK\r\n",
  "..",
  "//",
  "../",
  "<script>",
  "__proto__",
  "constructor",
  "toString",
]);

/** Texts are bytes here: a character each (latin1). Breaks a text in one to three places. */
export function mutateText(random: Random, text: string, maxLength = 20_000): string {
  let result = text;
  for (let count = 1 + below(random, 3); count > 0; count--) result = mutateOnce(random, result);
  return result.slice(0, maxLength);
}

function mutateOnce(random: Random, text: string): string {
  const at = below(random, text.length + 1);
  const to = Math.min(text.length, at + 1 + below(random, chance(random, 0.7) ? 8 : 400));
  switch (below(random, 11)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(below(random, 256)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(to);
    case 2:
      return text.slice(0, to) + text.slice(at);
    case 3:
      return text.slice(0, at) + pick(random, FRAGMENTS) + text.slice(at);
    case 4:
      return text.slice(0, at);
    case 5:
      return swapLines(random, text);
    case 6:
      return replaceNumber(random, text);
    case 7:
      return repeatLine(random, text);
    case 8:
      return (
        text.slice(0, at) + (text[at] ?? "a").repeat(pick(random, [10, 100, 1000, 5000])) + text.slice(at)
      );
    case 9:
      return text.slice(0, at) + text.slice(at, to).toUpperCase() + text.slice(to);
    default:
      return (
        text.slice(0, at) + pick(random, FRAGMENTS).repeat(pick(random, [1, 3, 50, 700])) + text.slice(at)
      );
  }
}

function swapLines(random: Random, text: string): string {
  const lines = text.split("\r\n");
  const [a, b] = [below(random, lines.length), below(random, lines.length)];
  [lines[a], lines[b]] = [lines[b]!, lines[a]!];
  return lines.join("\r\n");
}

function repeatLine(random: Random, text: string): string {
  const lines = text.split("\r\n");
  const at = below(random, lines.length);
  const count = pick(random, [1, 1, 2, 20, 200]);
  return [...lines.slice(0, at), ...Array(count).fill(lines[at]), ...lines.slice(at)].join("\r\n");
}

/** Another number in the place of one that is there. */
function replaceNumber(random: Random, text: string): string {
  const places = [...text.matchAll(/\d+/g)];
  if (places.length === 0) return text;
  const { 0: digits, index } = pick(random, places);
  return text.slice(0, index) + pick(random, EDGE_NUMBERS) + text.slice(index + digits.length);
}

/** Breaks one part of a JSON value; the value itself may be replaced. */
export function damageJson(random: Random, value: unknown, names: readonly string[]): unknown {
  if (typeof value !== "object" || value === null) return valueInstead(random);
  if (Array.isArray(value)) {
    const items = [...value];
    const at = below(random, items.length + 1);
    if (chance(random, 0.3)) items.splice(at, 0, items[at] ?? valueInstead(random));
    else if (at < items.length) items[at] = damageJson(random, items[at], names);
    return items;
  }
  const fields = { ...value } as Record<string, unknown>;
  const own = Object.keys(fields);
  const name = own.length > 0 && chance(random, 0.7) ? pick(random, own) : pick(random, names);
  const inner = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof inner === "object" && inner !== null && chance(random, 0.7))
    define(fields, name, damageJson(random, inner, names));
  else if (chance(random, 0.15)) delete fields[name];
  else define(fields, name, valueInstead(random, inner));
  return fields;
}

/** Not by assignment, which would change a prototype instead of adding a field. */
const define = (fields: Record<string, unknown>, name: string, value: unknown) =>
  Object.defineProperty(fields, name, { value, enumerable: true, configurable: true, writable: true });

/** Something else in a field's place: near to what was there, or anything. */
function valueInstead(random: Random, was?: unknown): unknown {
  if (typeof was === "string" && chance(random, 0.5)) return mutateText(random, was, 6000);
  if (chance(random, 0.4)) return new RawJson(pick(random, EDGE_NUMBERS));
  if (chance(random, 0.1)) return nested(random, pick(random, [15, 16, 17, 100, 900]));
  if (chance(random, 0.1))
    return pick(random, HOSTILE_TEXTS)
      .repeat(pick(random, [1, 10, 100]))
      .slice(0, 6000);
  return hostileValue(random);
}

function nested(random: Random, depth: number): unknown {
  let value: unknown = 1;
  for (let n = 0; n < depth; n++) value = chance(random, 0.5) ? [value] : { a: value };
  return value;
}

/** Printed as it is: 1e999 has no JSON value. */
class RawJson {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** JSON with what JSON.stringify cannot print: numbers out of range, repeated names, strange spaces, texts as bytes. */
export function printJson(random: Random, value: unknown): string {
  if (value instanceof RawJson)
    return Number.isNaN(Number(value.text || "x")) ? `"${value.text}"` : value.text;
  if (Array.isArray(value)) return `[${value.map((item) => printJson(random, item)).join(",")}]`;
  if (typeof value !== "object" || value === null) return toBytes(JSON.stringify(value) ?? "null");
  const pairs = Object.entries(value).map(
    ([name, inner]) => `${toBytes(JSON.stringify(name))}:${printJson(random, inner)}`,
  );
  if (pairs.length > 1 && chance(random, 0.03)) pairs.push(pick(random, pairs));
  return `{${pairs.join(chance(random, 0.02) ? " ,\r\n\t" : ",")}}`;
}

/** UTF-8, a character a byte. */
export const toBytes = (text: string): string => Buffer.from(text.toWellFormed()).toString("latin1");

/** Sizes of the pieces that something is sent in. */
export function piecesOf(random: Random): readonly number[] | undefined {
  if (chance(random, 0.6)) return undefined;
  return pick(random, [[1], [1, 2, 3], [7], [64], [536], [1436], [1, 1000]]);
}

/** A text for people: readable, short. */
export const shown = (text: string, length = 300): string =>
  text.length <= length
    ? JSON.stringify(text)
    : `${JSON.stringify(text.slice(0, length))} … (${text.length} bytes)`;
