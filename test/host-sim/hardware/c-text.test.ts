import { expect } from "chai";
import { decodeCText, encodeCText } from "../../../host-sim/hardware/c-text.js";

const hex = (text: string): string => Buffer.from(encodeCText(text)).toString("hex");

describe("text as XS passes it to C", () => {
  it("is UTF-8", () => {
    expect(hex("aé€😀")).to.equal(Buffer.from("aé€😀").toString("hex"));
  });

  it("has no zero byte: a NUL inside is C0 80, half a surrogate pair three bytes", () => {
    expect(hex("a\0b")).to.equal("61c08062");
    expect(hex("\ud800")).to.equal("eda080");
    expect(hex("\udfff")).to.equal("edbfbf");
  });

  for (const text of [
    "",
    "plain",
    "\0",
    "a\0\0b\0",
    "x\ud83dy",
    "\ude00\ud83d",
    "한글\0\ud7ff",
    "À\0é",
    "😀\udc00",
  ]) {
    it(`comes back as it was: ${JSON.stringify(text)}`, () => {
      expect(decodeCText(encodeCText(text))).to.equal(text);
    });
  }

  it("ends at the first zero byte", () => {
    expect(decodeCText(Buffer.from("ab\0cd"))).to.equal("ab");
  });

  it("shows what is broken as such", () => {
    expect(decodeCText(Buffer.of(0x61, 0xff, 0xc0, 0x62))).to.equal("a\ufffd\ufffdb");
    expect(decodeCText(Buffer.of(0xed, 0xa0))).to.contain("\ufffd");
  });
});
