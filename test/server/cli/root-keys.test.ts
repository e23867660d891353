// `skyslot keys` and trust roots, as their holders use it: files that go from one to the next.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { lockKey } from "../../../release/locked-key.js";
import { readRoot, verifyRoot } from "../../../release/root.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { PASSPHRASE_VARIABLE } from "../../../server/cli/signing-key.js";
import { type Holder, keysOfHolder } from "../../release/root-holders.js";

describe("skyslot keys, for trust roots", () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-root-"));
    for (const name of ["ann", "ben", "cleo", "dora", "release", "online"] as const satisfies Holder[]) {
      const { privateKey, publicKey } = await keysOfHolder(name);
      await writeFile(at(`${name}.jwk`), JSON.stringify(privateKey));
      await writeFile(at(`${name}.pub.jwk`), JSON.stringify(publicKey));
    }
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function skyslot(...args: string[]): Promise<string> {
    let out = "";
    const restore = redirectOutput((text) => {
      out += text;
    });
    try {
      await createProgram().parseAsync(args, { from: "user" });
    } finally {
      restore();
    }
    return out;
  }
  const failure = (...args: string[]): Promise<string> =>
    skyslot(...args).then(
      () => "nothing",
      (error: Error) => error.message,
    );
  const root = async (name: string) => readRoot(await readFile(at(name), "utf8"));
  const pub = (...names: Holder[]): string[] => names.map((name) => at(`${name}.pub.jwk`));
  const init = (...more: string[]): string[] => [
    ...["keys", "init", "--root", "--out", at("root-1.json"), "--root-key", ...pub("ann", "ben", "cleo")],
    ...["--release-key", ...pub("release"), "--freshness-key", ...pub("online"), "--threshold", "2", ...more],
  ];
  const kidOf = async (name: Holder): Promise<string> => (await keysOfHolder(name)).publicKey.kid ?? "";

  it("make the first root without a private key; its holders sign the same file, one after the other", async () => {
    const drafted = await skyslot(...init());
    expect(drafted).match(/2 of 3 root keys sign the next root/);
    expect(drafted).match(/missing: 2 signatures by its own root keys/);
    expect(await skyslot("keys", "sign-root", at("root-1.json"), "--key", at("cleo.jwk"))).match(
      /missing: 1 signature by its own root keys/,
    );
    const signed = await skyslot("keys", "sign-root", at("root-1.json"), "--key", at("ann.jwk"), "--json");
    expect(JSON.parse(signed)).include({
      version: 1,
      missing: 0,
      missing_of_previous: 0,
      file: at("root-1.json"),
    });
    await verifyRoot((await root("root-1.json")).text);
    expect(await failure(...init())).match(/EEXIST/);
  });

  it("rotate: the next file beside it, with the root before found there", async () => {
    await skyslot(...init("--key", at("ann.jwk"), at("ben.jwk"), "--expires", "2030-01-31"));
    const held = (await root("root-1.json")).root;
    expect(held.expires).equal(Date.parse("2030-01-31T23:59:59Z") / 1000);
    const changes = [
      "--remove",
      `root=${(await kidOf("cleo")).slice(0, 10)}`,
      "--add",
      `root=${at("dora.pub.jwk")}`,
    ];
    const drafted = await skyslot("keys", "rotate", at("root-1.json"), ...changes, "--key", at("ann.jwk"));
    expect(drafted).match(
      /missing: 1 signature by its own root keys, and 1 signature by root keys of root 1/,
    );
    await skyslot("keys", "sign-root", at("root-2.json"), "--key", at("cleo.jwk"));
    const whole = await skyslot("keys", "sign-root", at("root-2.json"), "--key", at("dora.jwk"));
    expect(whole).match(/devices take it/);
    expect(whole).include(`signed by ${await kidOf("cleo")}, a key of the root before only`);
    await verifyRoot((await root("root-2.json")).text, held);
  });

  it("fast-forward and raise the least security version, and refuse what is no change", async () => {
    await skyslot(...init("--key", at("ann.jwk"), at("ben.jwk")));
    const rotate = (...more: string[]) => ["keys", "rotate", at("root-1.json"), ...more];
    await skyslot(...rotate("--fast-forward", "led=1900000000", "--min-security-version", "2"));
    expect((await root("root-2.json")).root).deep.include({
      fastForward: [{ type: "led", sequence: 1_900_000_000 }],
      minSecurityVersion: 2,
    });
    expect(await failure(...rotate("--fast-forward", "led"))).match(/"led" is not TYPE=SEQUENCE/);
    expect(await failure(...rotate("--add", at("dora.pub.jwk")))).match(
      /is not root=FILE, release=FILE or freshness=FILE/,
    );
    expect(await failure(...rotate("--remove", "release=AAAAAAAA"))).match(
      /AAAAAAAA is no release key of root 1/,
    );
    expect(await failure("keys", "rotate", at("root-2.json"))).match(/signed by 0 keys of version 1/);
  });

  it("warn where the loss of a single key ends all rotation", async () => {
    const all = init().map((word) => (word === "2" ? "3" : word));
    expect(await skyslot(...all)).match(/all 3 root keys have to sign: if one of them is lost/);
  });

  it("ask for what is missing", async () => {
    expect(await failure("keys", "init", "--root", "--release-key", ...pub("release"))).match(
      /--root-key FILE/,
    );
    const many = ["--root-key", ...pub("ann", "ben"), "--release-key", ...pub("release")];
    expect(await failure("keys", "init", "--root", ...many)).match(/how many of 2 root keys have to sign/);
    expect(await failure(...init("--release-threshold", "3"))).match(
      /a release needs 1 or 2 signatures, not 3/,
    );
    await skyslot(...init());
    const signing = ["keys", "sign-root", at("root-1.json"), "--signer", "false"];
    expect(await failure(...signing, "--key", ...pub("ann", "ben"))).match(/--signer signs with one key/);
    expect(await failure(...signing, "--key", ...pub("ann"))).match(
      /the signer ended with 1: nothing was signed/,
    );
  });

  it("open keys with a passphrase, and sign nothing if one of them stays closed", async () => {
    const locked = await lockKey((await keysOfHolder("ben")).privateKey, "correct horse", 1000);
    await writeFile(at("ben.jwk"), locked);
    await skyslot(...init());
    const before = process.env[PASSPHRASE_VARIABLE];
    const sign = ["keys", "sign-root", at("root-1.json"), "--key", at("ann.jwk"), at("ben.jwk")];
    try {
      process.env[PASSPHRASE_VARIABLE] = "wrong horse";
      expect(await failure(...sign)).match(/ben\.jwk cannot be opened/);
      expect((await root("root-1.json")).signatures).length(0);
      process.env[PASSPHRASE_VARIABLE] = "correct horse";
      await skyslot(...sign);
      expect((await root("root-1.json")).signatures).length(2);
    } finally {
      if (before === undefined) delete process.env[PASSPHRASE_VARIABLE];
      else process.env[PASSPHRASE_VARIABLE] = before;
    }
  });
});
