// Releases that two holders of keys sign, one after the other, on the command line and at a server whose trust root asks for both.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { parseRelease } from "../../../firmware/core/update/release.js";
import { MAX_RELEASE_LENGTH } from "../../../firmware/core/wire.js";
import { readRelease } from "../../../release/signing.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { firstRoot, type Holder, keysOfHolder, pointOf } from "../../release/root-holders.js";
import { makeRelease, START_MS, TestServer } from "../test-server.js";

describe("a release with two signatures", () => {
  let folder: string;
  const at = (name: string): string => join(folder, name);
  const epochBefore = process.env.SOURCE_DATE_EPOCH;
  beforeEach(async () => {
    process.env.SOURCE_DATE_EPOCH = `${START_MS / 1000}`;
    folder = await mkdtemp(join(tmpdir(), "skyslot-two-"));
    for (const name of ["release", "release2", "dora"] as const satisfies Holder[]) {
      const { privateKey, publicKey } = await keysOfHolder(name);
      await writeFile(at(`${name}.jwk`), JSON.stringify(privateKey));
      await writeFile(at(`${name}.pub.jwk`), JSON.stringify(publicKey));
    }
    await writeFile(at("base.bin"), (await makeRelease("1.1.0")).image);
  });
  afterEach(async () => {
    if (epochBefore === undefined) delete process.env.SOURCE_DATE_EPOCH;
    else process.env.SOURCE_DATE_EPOCH = epochBefore;
    await rm(folder, { recursive: true, force: true });
  });

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
  const sign = (key: Holder, ...more: string[]): string[] => [
    ...["release", "sign", at("base.bin"), "--key", at(`${key}.jwk`), ...more],
  ];
  const verify = (...more: string[]): string[] => [
    ...["release", "verify", at("base.bin"), "--key", at("release.pub.jwk"), at("release2.pub.jwk"), ...more],
  ];
  const manifest = async (): Promise<string> => (await readFile(at("base.release.jws"), "utf8")).trim();

  it("is whole when the second holder has signed what the first one has", async () => {
    await skyslot(...sign("release", "--format", "3", "--min-root", "2"));
    expect(await skyslot(...verify())).match(/signed by [\w-]{43},/);
    expect(await failure(...verify("--threshold", "2"))).equal(
      "signed by 1 of the 2 trusted keys, 2 are needed",
    );
    const ids = await Promise.all(
      (["release", "release2"] as const).map(async (name) => (await keysOfHolder(name)).publicKey.kid),
    );
    const signed = JSON.parse(await skyslot(...sign("release2", "--add-signature", "--json")));
    expect(signed).deep.include({ format: 3, version: "1.1.0", signers: ids });
    expect(await skyslot(...verify("--threshold", "2"))).include(`signed by ${ids.join(" and ")}`);
    const { release } = readRelease(await manifest());
    expect(release).include({ minRoot: 2, sequence: START_MS / 1000 });
    expect((await manifest()).length).most(MAX_RELEASE_LENGTH);
    const asDevice = parseRelease(await manifest());
    expect(asDevice.ok && asDevice.value.signatures.map(({ keyId }) => keyId)).deep.equal(ids);
  });

  it("counts a holder once, and has no place for a third", async () => {
    await skyslot(...sign("release", "--format", "3"));
    await skyslot(...sign("release", "--add-signature"));
    expect(await failure(...verify("--threshold", "2"))).match(/^signed by 1 of/);
    const { payload, signatures } = JSON.parse(await manifest());
    await writeFile(
      at("base.release.jws"),
      JSON.stringify({ payload, signatures: [...signatures, ...signatures] }),
    );
    expect(await failure(...verify("--threshold", "2"))).match(/^signed by 1 of/);
    await writeFile(at("base.release.jws"), JSON.stringify({ payload, signatures }));
    await skyslot(...sign("release2", "--add-signature"));
    expect(await failure(...sign("dora", "--add-signature"))).match(/is signed by 2 other keys already/);
  });

  it("is not signed for another image, and not in a format with room for one", async () => {
    await skyslot(...sign("release", "--format", "3"));
    const before = await manifest();
    await writeFile(at("base.bin"), (await makeRelease("1.1.0", { image: { bundle: "other" } })).image);
    expect(await failure(...sign("release2", "--add-signature"))).match(/file is|do not match|differs/);
    expect(await manifest()).equal(before);
    await skyslot(...sign("release"));
    expect(await failure(...sign("release2", "--add-signature"))).match(
      /has room for one signature: sign it with --format 3/,
    );
  });

  it("is refused when one of its signatures by a trusted key is wrong", async () => {
    await skyslot(...sign("release", "--format", "3"));
    await skyslot(...sign("release2", "--add-signature"));
    const { payload, signatures } = JSON.parse(await manifest());
    const swapped = [signatures[0], { ...signatures[1], signature: signatures[0].signature }];
    await writeFile(at("base.release.jws"), JSON.stringify({ payload, signatures: swapped }));
    expect(await failure(...verify())).match(/^signature of key [\w-]{43} does not match the manifest$/);
  });

  it("has a sequence where it is asked for: a number, or the seconds of signing", async () => {
    const sequence = async (...more: string[]) => {
      await skyslot(...sign("release", ...more));
      return readRelease(await manifest()).release.sequence;
    };
    expect(await sequence()).equal(undefined);
    expect(await sequence("--sequence")).equal(START_MS / 1000);
    expect(await sequence("--sequence", "7")).equal(7);
    expect(await sequence("--format", "3", "--sequence", "9")).equal(9);
  });

  it("is what a server takes whose trust root asks for two, and nothing less, also of a system", async () => {
    const server = await TestServer.open();
    try {
      const release = [await pointOf("release"), await pointOf("release2")];
      const { text } = await firstRoot({ release, releaseThreshold: 2 });
      await server.admin("POST", "/api/v1/roots", { root: text });
      const upload = async () =>
        (await server.upload({ image: await readFile(at("base.bin")), release: await manifest() })).json();
      await skyslot(...sign("release", "--format", "3"));
      expect(await upload()).include({ error: "SIGNATURE_MISSING" });
      await skyslot(...sign("dora", "--add-signature"));
      expect(await upload()).include({ error: "SIGNATURE_MISSING" });
      await skyslot(...sign("release", "--format", "3", "--min-root", "2"));
      await skyslot(...sign("release2", "--add-signature"));
      expect(await upload()).include({ error: "ROOT_TOO_OLD" });
      await skyslot(...sign("release", "--format", "3"));
      await skyslot(...sign("release2", "--add-signature"));
      expect(await upload()).include({ version: "1.1.0" });
      expect((await server.check({ root_version: 1 })).json().release).equal(await manifest());
      const file = at("desk.system.jws");
      const uploadSystem = async () => {
        const system = (await readFile(file, "utf8")).trim();
        return (await server.admin("POST", "/api/v1/systems", { manifest: system })).json();
      };
      const signSystem = ["system", "sign", at("base.bin"), "--name", "desk", "--out", file];
      await skyslot(...signSystem, "--key", at("release.jwk"));
      expect(await uploadSystem()).include({ error: "SIGNATURE_MISSING" });
      await skyslot(...signSystem, "--key", at("release.jwk"), "--format", "2");
      expect(await uploadSystem()).include({ error: "SIGNATURE_MISSING" });
      const second = ["system", "add-signature", file, at("base.bin"), "--key", at("release2.jwk")];
      expect(await skyslot(...second)).match(/desk 1\.1\.0, base 1\.1\.0, signed by [\w-]{43} and /);
      expect(await uploadSystem()).include({ name: "desk", version: "1.1.0" });
    } finally {
      await server.close();
    }
  });

  it("belongs to a root that is built in only if its holders have signed that", async () => {
    const file = await firstRoot();
    await writeFile(at("root-1.json"), JSON.stringify({ payload: file.payload, signatures: [] }));
    const build = ["image", "build", "--app", "base", "--app-version", "1.0.0", "--out", at("built.bin")];
    expect(await failure(...build, "--root", at("root-1.json"))).match(
      /root-1\.json is not whole, it misses 2 signatures by its own root keys/,
    );
    await writeFile(at("root-1.json"), file.text);
    await skyslot(...build, "--root", at("root-1.json"));
    expect((await readFile(at("built.bin"))).includes(file.payload)).equal(true);
  });
});
