import { expect } from "chai";
import {
  base64UrlDecode,
  base64UrlEncode,
  bytesEqual,
  byteText,
  latin1,
  toHex,
  utf8Decode,
  utf8Encode,
  utf8Length,
} from "../../../firmware/core/bytes.js";

describe("bytes", () => {
  it("encodes and decodes UTF-8 as the platform's own codec does", () => {
    for (const text of [
      "",
      "plain",
      "Grüße",
      "日本語",
      "😀+%#&",
      "\u0000x",
      "\u07ff\u0800\uffff\u{10ffff}",
      `${"a".repeat(63)}é${"b".repeat(200)}😀`,
      "x".repeat(31) + "ü".repeat(2),
      "longer than what is made a text at once: ".repeat(5),
    ]) {
      const bytes = new TextEncoder().encode(text);
      expect(toHex(utf8Encode(text)), text).equal(Buffer.from(bytes).toString("hex"));
      expect(utf8Decode(bytes)).equal(text);
      expect(utf8Length(text)).equal(bytes.length);
    }
  });

  it("makes a text of bytes, one character each", () => {
    for (const length of [0, 1, 63, 64, 65, 1000]) {
      const bytes = Uint8Array.from({ length }, (_, i) => i & 255);
      const text = byteText(bytes);
      expect(text.length).equal(length);
      expect(Array.from(bytes, (_, i) => text.charCodeAt(i))).deep.equal([...bytes]);
    }
  });

  it("refuses exactly the byte sequences that the platform's own decoder refuses", () => {
    const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    let refused = 0;
    for (let a = 0; a < 256; a++) {
      for (const tail of [
        [],
        [0x80],
        [0xbf],
        [0x80, 0x80],
        [0x9f, 0xbf],
        [0xa0, 0x80],
        [0x8f, 0x80, 0x80],
        [0x90, 0x80, 0x80],
        [0x41],
      ]) {
        const bytes = Uint8Array.from([a, ...tail]);
        let expected: string | undefined;
        try {
          expected = strict.decode(bytes);
        } catch {
          refused++;
        }
        expect(utf8Decode(bytes), toHex(bytes)).equal(expected);
      }
    }
    expect(refused).above(500);
  });

  it("decodes base64url, and refuses padding, other alphabets and trailing bits", () => {
    for (let length = 0; length < 70; length++) {
      const bytes = Uint8Array.from({ length }, (_, i) => (i * 37 + length) & 255);
      const text = Buffer.from(bytes).toString("base64url");
      expect(base64UrlDecode(text)).deep.equal(bytes);
      expect(base64UrlEncode(bytes)).equal(text);
      expect(base64UrlDecode(`a.${text}.b`, 2, 2 + text.length)).deep.equal(bytes);
    }
    for (const text of ["A", "AA==", "AB", "a+b/", "AAé"])
      expect(base64UrlDecode(text), text).equal(undefined);
  });

  it("ends a C string at its zero and compares by content", () => {
    expect(latin1(Uint8Array.from([104, 105, 0, 120]))).equal("hi");
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).equal(true);
    expect(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).equal(false);
    expect(bytesEqual(Uint8Array.of(1), Uint8Array.of(1, 3))).equal(false);
  });
});
