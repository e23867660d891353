import { expect } from "chai";
import { findGuessable } from "../../../server/auth/guessable.js";
import { checkPasswordRules } from "../../../server/auth/password.js";

describe("a password that is easy to guess", () => {
  it("is refused, whatever its usual ending or spelling", () => {
    for (const password of [
      "password123456",
      "password1234",
      "Password2026!",
      "P@ssw0rd!123",
      "p455w0rd1990",
      "passwordpassword",
      "secret password",
      "Summer2026!",
      "Sommer2024!!",
      "letmein12345",
      "adminadmin1",
      "admin@2026",
      "welcome123!",
      "1234567890",
      "12345678901234567890",
      "qwertyuiop",
      "qwertz12345",
      "1qaz2wsx3edc",
      "asdfghjkl123",
      "abcdefghijkl",
      "zyxwvutsrqpo",
      "abcdabcdabcd",
      "iloveyou123",
      "Football#1234",
      "skyslot2026",
      "esp32esp32esp32",
      "12341234567",
      "dragon999999",
      "aaaabbbbccccdddd",
      "1472583690",
      `password${"1".repeat(200)}`,
    ])
      expect(checkPasswordRules(password, "ada"), password).match(/^the password is easy to guess: it is /);
  });

  it("is one with the user's name in another spelling or in parts", () => {
    for (const [password, name] of [
      ["4lexander2026", "alexander"],
      ["lovelace1815!", "ada.lovelace"],
      ["Lovelace-2026", "lovelace@example.com"],
      ["b0bby12345678", "bobby"],
    ] as const)
      expect(checkPasswordRules(password, name), password).match(/little more than the user's name/);
  });

  it("is told what it consists of, and not its letters", () => {
    expect(findGuessable("password123456", "ada")).equal(
      "the password is easy to guess: it is little more than a common word and characters in a row. Take several words that have nothing to do with each other",
    );
    expect(findGuessable("qwertyuiop2026qwertyuiop", "ada")).match(
      /than a row of the keyboard and a year\. Take/,
    );
  });

  it("is none of several words, of chance, or of what only contains a common word", () => {
    for (const password of [
      "correct horse battery",
      "another long phrase",
      "a better sentence",
      "k7#Qv2!mZp",
      "jvkqhwzrxd",
      "9042 1187 3350",
      "my password is a teapot",
      "summer tiger orange bicycle",
      "Zug nach Nirgendwo",
      "schl\u00fcssel-bund",
      "\u65e5\u672c\u8a9e\u306e\u30d1\u30b9\u30ef\u30fc\u30c9\u3067\u3059",
      "\u0130\u0130\u0130 \ud83d\udc31 \u00e9t\u00e9 ailleurs",
      `${"x".repeat(20)}unrelated words`,
    ])
      expect(checkPasswordRules(password, "ada"), password).equal(undefined);
  });

  it("is judged at once, even if it is as long as allowed", () => {
    for (const password of ["ab1!".repeat(64), "k7Qv".repeat(63), "qwertz".repeat(42)])
      expect(findGuessable(password, "ada"), password).match(/a repetition/);
  });
});
