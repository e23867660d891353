import { expect } from "chai";
import {
  checkPasswordRules,
  hashPassword,
  isOutdated,
  verifyPassword,
} from "../../../server/auth/password.js";
import { PasswordChecks } from "../../../server/auth/password-checks.js";

const CHEAP = { ln: 4, r: 8, p: 1 };

describe("passwords", () => {
  it("have at least ten characters", () => {
    expect(checkPasswordRules("correct h", "ada")).to.match(/has 9 characters, 10 are needed/);
    expect(checkPasswordRules("correct ho", "ada")).to.equal(undefined);
  });

  it("are verified by a hash that carries its parameters and a salt of its own", async () => {
    const hash = await hashPassword("correct horse battery", CHEAP);
    expect(hash).to.match(/^\$scrypt\$ln=4,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/);
    expect(await hashPassword("correct horse battery", CHEAP)).not.to.equal(hash);
    expect(await verifyPassword("correct horse battery", hash)).to.equal(true);
    expect(await verifyPassword("correct horse batterx", hash)).to.equal(false);
  });

  it("agree with the test vector of RFC 7914", async () => {
    // Section 12: scrypt("pleaseletmein", "SodiumChloride", N=16384, r=8, p=1, 64 bytes)
    const stored = `$scrypt$ln=14,r=8,p=1$${Buffer.from("SodiumChloride").toString("base64url")}$${Buffer.from(
      "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887",
      "hex",
    ).toString("base64url")}`;
    expect(await verifyPassword("pleaseletmein", stored)).to.equal(true);
    expect(await verifyPassword("pleaseletmeout", stored)).to.equal(false);
  });

  it("are the same however the keyboard writes an ü", async () => {
    const hash = await hashPassword("schl\u00fcssel-bund", CHEAP);
    expect(await verifyPassword("schlu\u0308ssel-bund", hash)).to.equal(true);
  });

  it("never match a malformed hash, or one that requires absurd memory", async () => {
    for (const stored of ["", "x", "$scrypt$ln=4,r=8,p=1$$", "$scrypt$ln=40,r=8,p=1$c2FsdA$aGFzaA"])
      expect(await verifyPassword("correct horse battery", stored), stored).to.equal(false);
  });

  it("are refused with a sentence when they are short, long, monotonous or the user's name", () => {
    expect(checkPasswordRules("correct horse battery", "ada")).to.equal(undefined);
    expect(checkPasswordRules("short", "ada")).to.contain("5 characters, 10 are needed");
    expect(checkPasswordRules("x".repeat(300), "ada")).to.contain("300 characters, 256 are allowed");
    expect(checkPasswordRules("aaaaaaaaaaaa", "ada")).to.contain("too few");
    expect(checkPasswordRules("I am Ada, really", "ada")).to.contain("user's name");
  });

  it("are rehashed when the parameters have been raised", async () => {
    const old = await hashPassword("correct horse battery", CHEAP);
    expect([isOutdated(old, CHEAP), isOutdated(old)]).to.deep.equal([false, true]);
    const checks = new PasswordChecks({ ln: 5, r: 8, p: 1 });
    const { isRight, renewed = "" } = await checks.verify("correct horse battery", old);
    expect(isRight).to.equal(true);
    expect(renewed).to.contain("ln=5");
    expect(await checks.verify("correct horse battery", renewed)).to.deep.equal({ isRight: true });
    expect(await checks.verify("wrong horse battery", old)).to.deep.equal({ isRight: false });
  });

  it("match no unknown user, not even the dummy password", async () => {
    const checks = new PasswordChecks(CHEAP);
    expect(await checks.verify("a password that no user has", undefined)).to.deep.equal({ isRight: false });
  });

  it("are checked a few at a time, and a flood is refused instead of piling up", async () => {
    const checks = new PasswordChecks(CHEAP);
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => checks.hash("correct horse")));
    const refused = results.filter(({ status }) => status === "rejected");
    expect(refused).to.have.length(60 - 2 - 32);
    expect((refused[0] as PromiseRejectedResult).reason.code).to.equal("BUSY");
    expect(await checks.hash("correct horse")).to.match(/^\$scrypt/);
  });

  it("are checked first of those who have signed in before, however many strangers wait", async () => {
    const checks = new PasswordChecks(CHEAP);
    const stored = await hashPassword("correct horse battery", CHEAP);
    const order: string[] = [];
    const verify = async (name: string, isKnown: boolean) => {
      const { isRight } = await checks.verify("correct horse battery", stored, { isKnown });
      order.push(name);
      return isRight;
    };
    const flood = Promise.allSettled(Array.from({ length: 200 }, () => verify("stranger", false)));
    expect(await verify("ada", true)).to.equal(true);
    // Two run at a time, and the other one may do several while hers is held up: in turn she would be the 35th.
    expect(order.indexOf("ada"), "before most of those who came first").to.be.at.most(17);
    const settled = await flood;
    expect(settled.filter(({ status }) => status === "fulfilled")).to.have.length(2 + 32);
  });
});
