// Release keys with a passphrase: what opens them, what does not, and that devices see no difference.

import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { CompactEncrypt, decodeProtectedHeader, type JWK } from "jose";
import { KeyError } from "../../release/error.js";
import { makeReleaseKeys } from "../../release/keys.js";
import { isLockedKey, lockKey, unlockKey } from "../../release/locked-key.js";
import { redirectOutput } from "../../server/cli/output.js";
import { createProgram } from "../../server/cli/program.js";
import { PASSPHRASE_VARIABLE, readSigningKey } from "../../server/cli/signing-key.js";

const PASSPHRASE = "correct horse b\u00e4ttery";
/** Of a test: the real ones take half a second each. */
const ROUNDS = 1_000;

const failure = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "no failure",
    (error: unknown) => error,
  );

describe("a release key with a passphrase", () => {
  it("opens with it, and with no other", async () => {
    const { privateKey } = await makeReleaseKeys();
    const text = await lockKey(privateKey, PASSPHRASE, ROUNDS);
    expect(text).not.include(privateKey.d);
    expect(await unlockKey(`${text}\n`, PASSPHRASE, "release.jwk")).deep.equal(privateKey);
    for (const other of ["correct horse", PASSPHRASE.toUpperCase(), `${PASSPHRASE} `, ""]) {
      const error = await failure(unlockKey(text, other, "release.jwk"));
      expect(error)
        .instanceOf(KeyError)
        .with.property("message")
        .match(/release\.jwk cannot be opened/);
    }
  });

  it("does not open if a character of it was changed", async () => {
    const { privateKey } = await makeReleaseKeys();
    const text = await lockKey(privateKey, PASSPHRASE, ROUNDS);
    const parts = text.split(".");
    for (const index of [1, 2, 3, 4]) {
      const part = parts[index] ?? "";
      const changed = parts.with(index, (part.startsWith("A") ? "B" : "A") + part.slice(1)).join(".");
      expect(await failure(unlockKey(changed, PASSPHRASE, "x")), `part ${index}`).instanceOf(KeyError);
    }
  });

  it("asks for 600 000 rounds, and refuses a file that asks for more than ten million", async () => {
    const { privateKey } = await makeReleaseKeys();
    const { alg, enc, p2c } = decodeProtectedHeader(await lockKey(privateKey, PASSPHRASE));
    expect({ alg, enc, p2c }).deep.equal({ alg: "PBES2-HS512+A256KW", enc: "A256GCM", p2c: 600_000 });
    const [head = "", ...rest] = (await lockKey(privateKey, PASSPHRASE, ROUNDS)).split(".");
    const header = JSON.parse(Buffer.from(head, "base64url").toString());
    const greedy = Buffer.from(JSON.stringify({ ...header, p2c: 10_000_001 })).toString("base64url");
    expect(await failure(unlockKey([greedy, ...rest].join("."), PASSPHRASE, "x"))).instanceOf(KeyError);
  });

  it("is refused with a passphrase of less than eight characters", async () => {
    const { privateKey } = await makeReleaseKeys();
    expect(await failure(lockKey(privateKey, "seven77", ROUNDS))).instanceOf(KeyError);
  });

  it("is told from other files", async () => {
    const { privateKey } = await makeReleaseKeys();
    expect(isLockedKey(await lockKey(privateKey, PASSPHRASE, ROUNDS))).equal(true);
    const otherwise = await new CompactEncrypt(new Uint8Array(3))
      .setProtectedHeader({ alg: "dir", enc: "A256GCM" })
      .encrypt(new Uint8Array(32));
    for (const text of [JSON.stringify(privateKey), "", "a.b.c.d.e", otherwise, "x".repeat(20_000)])
      expect(isLockedKey(text)).equal(false);
  });
});

describe("`skyslot keys init --passphrase`", () => {
  let folder: string;
  const before = process.env[PASSPHRASE_VARIABLE];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-keys-"));
  });
  afterEach(async () => {
    if (before === undefined) delete process.env[PASSPHRASE_VARIABLE];
    else process.env[PASSPHRASE_VARIABLE] = before;
    await rm(folder, { recursive: true, force: true });
  });

  it("writes a locked key that only its owner may read, which signs with the passphrase and not without", async () => {
    const file = join(folder, "release.jwk");
    process.env[PASSPHRASE_VARIABLE] = PASSPHRASE;
    let out = "";
    const putBack = redirectOutput((text) => {
      out += text;
    });
    await createProgram()
      .parseAsync(["keys", "init", "--passphrase", "--json", "--out", file], { from: "user" })
      .finally(putBack);
    const { kid, is_locked } = JSON.parse(out);
    expect(is_locked).equal(true);
    expect((await stat(file)).mode & 0o777).equal(0o600);
    expect(isLockedKey(await readFile(file, "utf8"))).equal(true);
    expect(await readFile(join(folder, "release.pub.jwk"), "utf8")).include(kid);
    expect(((await readSigningKey({ key: file })) as JWK).kid).equal(kid);
    process.env[PASSPHRASE_VARIABLE] = "another passphrase";
    expect(String(await failure(readSigningKey({ key: file })))).match(/release\.jwk cannot be opened/);
  });

  it("leaves keys without a passphrase as they are", async () => {
    const file = join(folder, "release.jwk");
    const { privateKey } = await makeReleaseKeys();
    await writeFile(file, JSON.stringify(privateKey));
    expect(await readSigningKey({ key: file })).deep.equal(privateKey);
  });
});
