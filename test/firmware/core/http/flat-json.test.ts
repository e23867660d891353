import { expect } from "chai";
import { parseFlat } from "../../../../firmware/core/http/flat-json.js";

/** As JSON.parse would return it. */
const read = (text: string) => {
  const found = parseFlat(text);
  return found && Object.fromEntries(found);
};

describe("the JSON of a body", () => {
  it("is an object of texts, numbers, true, false and null", () => {
    const value = { text: "x", empty: "", number: -1.5e3, yes: true, no: false, nothing: null };
    expect(read(JSON.stringify(value))).deep.equal(value);
    expect(read("{}")).deep.equal({});
    expect(read(' \r\n\t{ "a" : 1 , "b" : 2 } \n')).deep.equal({ a: 1, b: 2 });
  });

  it("may have any character in its texts", () => {
    for (const text of ['"', "\\", '\\"', '\\\\"', "[[{{", "}]", "a\\", '","b":[', "\n\u0000😀"]) {
      expect(read(JSON.stringify({ [text]: text, b: text })), text).deep.equal({
        [text]: text,
        b: text,
      });
    }
  });

  it("has at most 32 members", () => {
    const members = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, i) => [`m${i}`, `${i}`])));
    expect(parseFlat(members(32))?.size).equal(32);
    expect(parseFlat(members(33))).equal(undefined);
  });

  for (const text of [
    "",
    "null",
    "5",
    '"{}"',
    "[]",
    '["{",1]',
    '{"a":[]}',
    '{"a":{}}',
    '{"a":1}{',
    '{"a":1} [',
    '{"a":"b}',
    '{"a":"\\"}',
    '{"a":}',
    "{a:1}",
    "{",
  ]) {
    it(`is not ${text || "nothing"}`, () => {
      expect(parseFlat(text)).equal(undefined);
    });
  }

  it("is not parsed if it would fill the stack or the heap of the device", () => {
    const parse = JSON.parse;
    let parsed = 0;
    for (const text of [
      "[".repeat(2_048),
      `{"a":${"[".repeat(2_000)}`,
      `{"a":${'{"a":'.repeat(400)}`,
      `{"a":[${"0,".repeat(1_000)}0]}`,
      `{${'"a":0,'.repeat(340)}"a":0}`,
      `{"a":"${'\\"'.repeat(1_000)}`,
    ]) {
      try {
        parse(text);
        parsed++;
      } catch {
        // not JSON
      }
      expect(parseFlat(text), text.slice(0, 20)).equal(undefined);
    }
    expect(parsed, "texts that are JSON").above(1);
  });
});
