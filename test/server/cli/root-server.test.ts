// `skyslot server root`, `keys show` and `keys revoke`, at a running server.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readRoot, verifyRoot } from "../../../release/root.js";
import { nextRoot } from "../../../release/root-draft.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { type RunningServer, startServer } from "../../../server/start.js";
import { firstRoot, type Holder, keysOfHolder, pointOf, signedBy } from "../../release/root-holders.js";
import { makeRelease } from "../test-server.js";

describe("trust roots of a server, on the command line", () => {
  let folder: string;
  let server: RunningServer;
  const at = (name: string): string => join(folder, name);
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-root-server-"));
    server = await startServer({ dataDir: at("data"), port: 0 });
    for (const name of ["ann", "ben", "release2"] as const satisfies Holder[]) {
      const { privateKey, publicKey } = await keysOfHolder(name);
      await writeFile(at(`${name}.jwk`), JSON.stringify(privateKey));
      await writeFile(at(`${name}.pub.jwk`), JSON.stringify(publicKey));
    }
    const one = await firstRoot();
    await writeFile(at("root-1.json"), `${one.text}\n`);
    const two = await nextRoot(one.root, {
      expires: 1_950_000_000,
      add: [["release", await pointOf("release2")]],
    });
    await writeFile(at("root-2.json"), (await signedBy(two, ["ann", "ben"])).text);
  });
  afterEach(async () => {
    await server.close();
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
  const atServer = (...args: string[]) =>
    skyslot(...args, "--server", server.url, "--token-file", server.tokenFile);
  const failure = (work: Promise<string>) =>
    work.then(
      () => "nothing",
      (error: Error) => error.message,
    );
  const check = (fields: object) =>
    fetch(`${server.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        ...{ device_id: "base-1", device_type: "base", current_version: "1.0.0", current_build: 0 },
        ...fields,
      }),
    });

  it("publishes several in their order, once it was told that this is meant", async () => {
    const files = [at("root-1.json"), at("root-2.json")];
    expect(await failure(atServer("server", "root", ...files))).match(/no terminal to prompt on: use --yes/);
    expect(await atServer("keys", "show")).match(/no trust root is published there/);
    const published = await atServer("server", "root", ...files, "--yes");
    expect(published).match(/trust root 1 published, expires 2030-03-17/);
    expect(published).match(/trust root 2 published, expires 2031-10-17/);
    expect(await failure(atServer("server", "root", files[0] as string, "--yes"))).match(
      /422 ROOT_REFUSED: trust root: it is version 1, after version 2 comes 3/,
    );
  });

  it("shows who has signed, what each key has, and who is behind", async () => {
    await atServer("server", "root", at("root-1.json"), at("root-2.json"), "--yes");
    const { image, release } = await makeRelease("1.1.0", {
      key: (await keysOfHolder("release")).privateKey,
    });
    await writeFile(at("base.bin"), image);
    await writeFile(at("base.release.jws"), release);
    await atServer("release", "upload", at("base.bin"));
    await check({ root_version: 1 });
    await check({ device_id: "base-2", root_version: 2 });
    await check({ device_id: "base-3" });
    const shown = await atServer("keys", "show");
    expect(shown).match(/root 2, published .*\n {2}expires 2031-10-17/);
    expect(shown).match(new RegExp(`${(await keysOfHolder("release")).publicKey.kid} +release +1\n`));
    expect(shown).match(/\n1 +1\n2 +1\nnone +1\n/);
    expect(shown).match(/1 devices are behind/);
    expect(await atServer("device", "list", "--root-behind", "--json"))
      .include('"base-1"')
      .not.include('"base-2"');
    const ofFile = JSON.parse(await skyslot("keys", "show", at("root-2.json"), "--json"));
    expect(ofFile).include({ version: 2, missing: 0, missing_of_previous: 0 });
  });

  it("revokes a release key by its holder's own file, and says what the server has of it", async () => {
    await atServer("server", "root", at("root-1.json"), at("root-2.json"), "--yes");
    const { kid = "" } = (await keysOfHolder("release")).publicKey;
    const revoke = ["keys", "revoke", kid.slice(0, 12), "--root", at("root-2.json")];
    expect(await failure(atServer(...revoke))).match(/no terminal to prompt on/);
    const done = await atServer(...revoke, "--yes", "--key", at("ann.jwk"), at("ben.jwk"));
    expect(done)
      .match(/devices take it/)
      .not.include(kid);
    const held = readRoot(await readFile(at("root-2.json"), "utf8")).root;
    expect((await verifyRoot(await readFile(at("root-3.json"), "utf8"), held)).root.release).length(1);
  });

  it("revokes without a server, but never the only release key without another", async () => {
    const { kid = "" } = (await keysOfHolder("release")).publicKey;
    const revoke = (file: string, ...more: string[]) =>
      skyslot("keys", "revoke", kid, "--root", at(file), "--server", "http://127.0.0.1:9", "--yes", ...more);
    expect(await failure(revoke("root-2.json"))).match(
      /does not answer .*; --offline makes the root without a server/,
    );
    expect(await failure(revoke("root-1.json", "--offline"))).match(/it is the only release key/);
    await rm(at("root-2.json"));
    expect(await revoke("root-1.json", "--offline", "--add", `release=${at("release2.pub.jwk")}`)).match(
      /missing: 2 signatures by its own root keys/,
    );
    expect(
      await failure(skyslot("keys", "revoke", "AAAAAAAA", "--root", at("root-1.json"), "--offline")),
    ).match(/AAAAAAAA is no release key of root 1/);
  });
});
