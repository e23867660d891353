// Kind: text from outside that a parser turns into more stack, more heap or more names than the device has: nested values, many values,
// members that nobody has named before.

import { expect } from "chai";
import { type JsonValue, readJson, readJsonObject, writeJson } from "../../../firmware/core/json.js";

/** As JSON.parse would return it. */
function plain(value: JsonValue | undefined): unknown {
  if (Array.isArray(value)) return value.map((one: JsonValue) => plain(one));
  if (!(value instanceof Map)) return value;
  const object: Record<string, unknown> = {};
  for (const [name, one] of value) object[name] = plain(one);
  return object;
}

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** `depth` times one in the other, `inner` in the middle. */
const nested = (depth: number, open: string, close: string, inner = "0") =>
  open.repeat(depth) + inner + close.repeat(depth);

describe("reading JSON", () => {
  it("reads what JSON.parse reads", () => {
    for (const text of [
      "0",
      "-1.5e3",
      "true",
      "null",
      '"more"',
      '""',
      "[]",
      "{}",
      "[[],{},[{}]]",
      ' \r\n\t{ "a" : [ 1 , "b" , { "c" : null } ] , "d" : false } \n',
      '{"a":1,"a":2}',
      '["\\u00e9\\n\\"\\\\","[{\\",]}", "😀"]',
      '{"\\"":"]","[":{"}":[",",":"]}}',
      '"\\\\"',
      '[1,"a",2.50,{"b":[true,false,null]}]',
    ])
      expect(plain(readJson(text)), text).deep.equal(parse(text));
  });

  it("does not read what JSON.parse does not read", () => {
    for (const text of [
      "",
      " ",
      "[",
      "]",
      "{",
      "[1",
      "[1,",
      "[1,]",
      "[,1]",
      "[1 2]",
      "[1]]",
      "[1}",
      '{"a":1]',
      '{"a"}',
      '{"a":}',
      '{"a":1,}',
      "{a:1}",
      "{1:1}",
      '{"a" 1}',
      '"a',
      '"a\\"',
      '"a\nb"',
      '"\\x"',
      "01",
      "+1",
      "1.",
      ".5",
      "0x5",
      "1e",
      "--1",
      "tru",
      "nul",
      "undefined",
      "NaN",
      "Infinity",
      "'a'",
      '1"a"',
      '"a""b"',
      "1[2]",
      "{}{}",
      "\u00a01",
    ]) {
      expect(parse(text), `JSON.parse: ${text}`).equal(undefined);
      expect(readJson(text), text).equal(undefined);
    }
  });

  it("agrees with JSON.parse on texts with one character changed, added or removed", () => {
    const text = '{"a":[1,-2.5e1,"x\\"]",{"b":{}},[]],"c":null,"d":true}';
    for (let i = 0; i <= text.length; i++)
      for (const character of ['"', "\\", "[", "]", "{", "}", ",", ":", "0", " ", "e", ""]) {
        const changed = text.slice(0, i) + character + text.slice(i + 1);
        const added = text.slice(0, i) + character + text.slice(i);
        for (const one of [changed, added]) expect(plain(readJson(one)), one).deep.equal(parse(one));
      }
  });

  it("takes sixteen values inside one another, whatever they are, and not seventeen", () => {
    const mixed = (depth: number) =>
      '[{"a":'.repeat(depth / 2) + nested(depth % 2, "[", "]") + "}]".repeat(depth / 2);
    const kinds: Readonly<Record<string, (depth: number) => string>> = {
      arrays: (depth) => nested(depth, "[", "]"),
      "empty arrays": (depth) => nested(depth, "[", "]", ""),
      objects: (depth) => nested(depth, '{"a":', "}"),
      mixed,
      "behind a member": (depth) => `{"time":1,"x":${nested(depth - 1, "[", "]")}}`,
      "with brackets in texts": (depth) => nested(depth, '["]]]}",', "]", '"[[[[{{{{"'),
    };
    for (const [what, text] of Object.entries(kinds)) {
      expect(plain(readJson(text(16))), what).deep.equal(parse(text(16)));
      expect(readJson(text(17)), what).equal(undefined);
      expect(readJson(text(4_000)), what).equal(undefined);
    }
    for (const open of ["[", '{"a":', '[{"a":', "[0,", '{"a":0,"b":'])
      expect(readJson(open.repeat(4_000)), open).equal(undefined);
  });

  it("counts no brackets inside texts", () => {
    for (const text of ["[".repeat(4_000), '{"a":'.repeat(1_000), '\\"[[\\'.repeat(500)])
      expect(readJson(JSON.stringify([text]))).deep.equal([text]);
  });

  it("takes 128 values and not 129, whatever they are", () => {
    const list = (count: number, one: string) =>
      `[${Array.from({ length: count - 1 }, () => one).join(",")}]`;
    for (const one of ["0", '""', "[]", "{}", "null"]) {
      expect(readJson(list(128, one)), one).length(127);
      expect(readJson(list(129, one)), one).equal(undefined);
      expect(readJson(list(4_000, one)), one).equal(undefined);
    }
  });

  it("takes no number that is longer than 32 characters", () => {
    expect(readJson(`1${"0".repeat(31)}`)).equal(1e31);
    for (const text of [`1${"0".repeat(32)}`, "9".repeat(4_000), `0.${"1".repeat(5_000)}`])
      expect(readJson(`{"time":${text}}`), text.slice(0, 10)).equal(undefined);
  });

  it("keeps names as values: none is special", () => {
    const text = '{"__proto__":{"a":1},"constructor":2,"hasOwnProperty":3,"length":4}';
    const object = readJsonObject(text);
    expect([...(object?.keys() ?? [])]).deep.equal(["__proto__", "constructor", "hasOwnProperty", "length"]);
    expect(readJsonObject("{}")?.get("constructor")).equal(undefined);
    expect(readJsonObject("[1]")).equal(undefined);
  });
});

describe("writing JSON", () => {
  it("writes what JSON.stringify writes, also for values that contain constants", () => {
    const constant = Object.freeze({ list: Object.freeze([1, Object.freeze({ a: "é" })]), none: undefined });
    for (const value of [constant, { constant, more: [constant.list] }, [], "text", 1.5, null, undefined])
      expect(writeJson(value)).equal(JSON.stringify(value));
  });
});
