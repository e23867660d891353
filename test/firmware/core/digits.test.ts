import { expect } from "chai";
import { readDigits, readHexDigits } from "../../../firmware/core/digits.js";

const NO_NUMBERS = [
  "",
  " ",
  "-1",
  "+1",
  "1 ",
  " 1",
  "1.0",
  "1e3",
  "1,0",
  "1_0",
  "Infinity",
  "NaN",
  "\u0661",
  "\u00b9",
  "1\0",
];

describe("numbers in texts from outside", () => {
  it("are digits and nothing else", () => {
    for (const text of [...NO_NUMBERS, "a", "0x10"]) expect(readDigits(text), text).equal(undefined);
    for (const text of ["0", "7", "007", "65536", "999999999999999"])
      expect(readDigits(text)).equal(Number(text));
  });

  it("are no longer than a number is exact, or as the caller allows", () => {
    expect(readDigits("9".repeat(15))).equal(999_999_999_999_999);
    expect(readDigits("9".repeat(16))).equal(undefined);
    expect(readDigits("100", 2)).equal(undefined);
  });

  it("are hexadecimal digits where that is the format", () => {
    for (const text of [...NO_NUMBERS, "0x10", "g", "`", "@", "1".repeat(14)])
      if (text !== "1e3") expect(readHexDigits(text), text).equal(undefined);
    for (const text of ["0", "a", "F", "00ff", "4000", "dEAdbeef", "fffffffffffff"])
      expect(readHexDigits(text), text).equal(Number.parseInt(text, 16));
  });
});
