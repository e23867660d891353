// Signatures by a command that holds the key: what it may answer, and what is refused of it.

import { createPrivateKey, type JsonWebKey, sign } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { JWK } from "jose";
import { readSignature } from "../../release/ecdsa-signature.js";
import { KeyError } from "../../release/error.js";
import { type KeyPair, makeReleaseKeys } from "../../release/keys.js";
import { type Signer, signMember } from "../../release/signer.js";
import { signRelease } from "../../release/signing.js";
import { commandSigner } from "../../server/cli/command-signer.js";
import { makePayloadFor } from "./payloads.js";

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, "hex"));
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

/** The message of the KeyError that ends work. */
async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "nothing";
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    return error.message;
  }
}

describe("the signature that a tool answers", () => {
  const r = "11".repeat(32);
  const s = "22".repeat(32);

  it("is read as r and s, as DER, and as Base64 of either", () => {
    const der = hex(`30440220${r}0220${s}`);
    for (const answer of [hex(r + s), der]) {
      for (const text of [
        Buffer.from(answer).toString("base64"),
        `${Buffer.from(answer).toString("base64url")}\n`,
      ])
        expect(readSignature(Buffer.from(text)).map(hexOf)).deep.equal([r + s]);
      expect(readSignature(answer).map(hexOf)).deep.equal([r + s]);
    }
  });

  it("has numbers of any length in DER: short ones are filled up, a zero in front of a high bit is left out", () => {
    const high = "ff".repeat(32);
    expect(readSignature(hex(`3046022100${high}022100${high}`)).map(hexOf)).deep.equal([high + high]);
    expect(readSignature(hex("3006020107020108")).map(hexOf)).deep.equal([
      `${"00".repeat(31)}07${"00".repeat(31)}08`,
    ]);
  });

  it("may be both at once: 64 bytes that look like DER", () => {
    const both = hex(`303e021f${"11".repeat(31)}021b${"22".repeat(27)}`);
    expect(readSignature(both).map(hexOf)).deep.equal([
      hexOf(both),
      `00${"11".repeat(31)}${"00".repeat(5)}${"22".repeat(27)}`,
    ]);
  });

  it("is nothing when bytes are missing, follow, or are no numbers", () => {
    for (const answer of [
      "",
      "30",
      `30440220${r}0220${s}00`,
      `30440220${r}0220${s.slice(2)}`,
      `30430220${r}0220${s}`,
      `30440320${r}0220${s}`,
      `3046022101${r}022100${s}`,
      "3004020002010a",
      `${r}${s}00`,
      (r + s).slice(2),
    ])
      expect(readSignature(hex(answer)), answer).deep.equal([]);
    expect(readSignature(Buffer.from("Please touch your token"))).deep.equal([]);
  });
});

describe("a command that signs", () => {
  let keys: KeyPair;
  before(async () => {
    keys = await makeReleaseKeys();
  });

  /** A program in JavaScript as a command. */
  const signer = (program: string, publicKey: JWK = keys.publicKey) =>
    commandSigner(`"${process.execPath}" -e '${program}'`, publicKey);
  const failureOf = (program: string) => refusal(signRelease(makePayloadFor("1.1.0"), signer(program)));

  it("is refused in a sentence whatever else it answers, and nothing is signed", async () => {
    for (const [program, sentence] of [
      ["process.exit(3)", /^the signer ended with 3: nothing was signed/],
      ["", /^the signer answered 0 bytes that are no ECDSA signature/],
      ['process.stdout.write("no")', /^the signer answered 2 bytes that are no ECDSA signature/],
      ['process.stdout.write("x".repeat(100000))', /^the signer answered 100000 bytes: nothing was signed/],
      ['process.stdout.write("A".repeat(86))', /^the signer's answer is no signature by this key/],
    ] as const)
      expect(await failureOf(program), program).match(sentence);
    const unknown = commandSigner("skyslot-no-such-command 2>/dev/null", keys.publicKey);
    expect(await refusal(signRelease(makePayloadFor("1.1.0"), unknown))).match(/ended with 127/);
  });

  it("gets 32 bytes on its input, or in a file that nobody else can read and that is gone afterwards", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skyslot-signer-"));
    try {
      const [piped, named] = [join(folder, "piped"), join(folder, "named")];
      const program = `const f=require("node:fs"),[file]=process.argv.slice(1);f.writeFileSync("${piped}",f.readFileSync(0));f.writeFileSync("${named}",JSON.stringify([file,f.readFileSync(file).toString("hex"),f.statSync(require("node:path").dirname(file)).mode]))`;
      const asked = commandSigner(`"${process.execPath}" -e '${program}' {digest}`, keys.publicKey);
      expect(await refusal(asked.sign(Buffer.from("abc")))).match(/answered 0 bytes/);
      const [file, digest, mode] = JSON.parse(await readFile(named, "utf8"));
      const expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
      expect([digest, hexOf(await readFile(piped))]).deep.equal([expected, expected]);
      expect(existsSync(file)).equal(false);
      if (process.platform !== "win32") expect(mode & 0o077).equal(0);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("that holds another key than the public one makes nothing that could be taken for a signature", async () => {
    const other = createPrivateKey({
      key: (await makeReleaseKeys()).privateKey as JsonWebKey,
      format: "jwk",
    });
    const wrong: Signer = {
      publicKey: keys.publicKey,
      doubt: "another key",
      sign: async (input) => sign("sha256", input, { key: other, dsaEncoding: "ieee-p1363" }),
    };
    expect(await refusal(signMember({ typ: "x" }, "e30", wrong))).equal("another key");
  });
});
