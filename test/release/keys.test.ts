import { generateKeyPairSync } from "node:crypto";
import { expect } from "chai";
import { KeyError } from "../../release/error.js";
import { makeReleaseKeys, readPrivateKey, readPublicKey, readTrustedKey } from "../../release/keys.js";
import { signRelease } from "../../release/signing.js";
import { makePayloadFor } from "./payloads.js";

/** The sentence with which work is refused. */
async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
    return "nothing";
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    return error.message;
  }
}

const pem = (options: object): string =>
  generateKeyPairSync("ec", {
    namedCurve: "P-256",
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem", ...options } as { type: "pkcs8"; format: "pem" },
  }).privateKey;

describe("a release key", () => {
  it("signs if it is the private one, and verifies in both forms", async () => {
    const { privateKey, publicKey } = await makeReleaseKeys();
    expect(readPrivateKey(JSON.stringify(privateKey), "release.jwk")).deep.equal(privateKey);
    const { x, y, kid } = publicKey;
    for (const key of [privateKey, publicKey])
      expect(readPublicKey(JSON.stringify(key), "a.jwk")).deep.equal({ kty: "EC", crv: "P-256", x, y, kid });
    expect(await refusal(() => readPrivateKey(JSON.stringify(publicKey), "release.pub.jwk"))).match(
      /^release\.pub\.jwk contains a public key: signing needs the private one/,
    );
  });

  it("that is private is refused by a server", async () => {
    const { privateKey, publicKey } = await makeReleaseKeys();
    expect(readTrustedKey(JSON.stringify(publicKey), "a.pub.jwk")).to.have.keys(
      "kty",
      "crv",
      "x",
      "y",
      "kid",
    );
    expect(await refusal(() => readTrustedKey(JSON.stringify(privateKey), "a.jwk"))).match(
      /^a\.jwk contains a private key, which a server must not have/,
    );
  });

  it("is recognised when it is locked, whatever locked it", async () => {
    for (const text of [
      pem({ cipher: "aes-256-cbc", passphrase: "secret" }),
      "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n",
      "-----BEGIN PGP MESSAGE-----\n\nhQEMA\n",
      "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
      "age-encryption.org/v1\n-> scrypt abc 18\n",
      "U2FsdGVkX1+abc=\n",
      "eyJhbGciOiJQQkVTMi1IUzI1NiJ9.a.b.c.d\n",
      JSON.stringify({ protected: "eyJ", encrypted_key: "a", iv: "b", ciphertext: "c", tag: "d" }),
    ])
      expect(await refusal(() => readPrivateKey(text, "k")), text).match(/^k is locked with a passphrase/);
  });

  it("is refused in a sentence when it is something else", async () => {
    const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({ format: "jwk" });
    const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey.export({ format: "jwk" });
    for (const [text, sentence] of [
      [pem({}), /^k is in PEM form: choose the \.jwk/],
      ["\u00e9\u0000\u0001", /^k is not JSON/],
      ["", /^k is not JSON/],
      ["null", /^k is not a key/],
      ["7", /^k is not a key/],
      ["[]", /^k is a list, not a key of kty EC and crv P-256 \(ES256\): choose the \.jwk/],
      ['{"keys": []}', /^k is a set of keys, not a key/],
      ["{}", /^k is something else, not a key of kty EC/],
      [JSON.stringify(rsa), /^k is a key of kty RSA, not a key of kty EC/],
      [JSON.stringify(p384), /^k is a key of kty EC and crv P-384, not a key of kty EC and crv P-256/],
      ['{"kty": "EC", "crv": "P-256", "x": 5, "y": "a", "d": "b"}', /^k is a damaged key/],
      [" ".repeat(20_000), /^k has 20000 characters, it is not a key/],
    ] as const)
      expect(await refusal(() => readPrivateKey(text, "k")), text.slice(0, 40)).match(sentence);
  });

  it("does not sign when its parts do not belong together", async () => {
    const [one, other] = [await makeReleaseKeys(), await makeReleaseKeys()];
    const payload = makePayloadFor("1.1.0");
    expect(await refusal(() => signRelease(payload, { ...one.privateKey, d: other.privateKey.d! }))).match(
      /^the key is damaged/,
    );
    for (const d of ["AAAA", "", "§§", one.privateKey.d!.slice(2)])
      expect(await refusal(() => signRelease(payload, { ...one.privateKey, d })), d).match(
        /^the key is damaged/,
      );
    expect(await signRelease(payload, one.privateKey)).match(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });
});
