import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readSystem } from "../../../release/system.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { type RunningServer, startServer } from "../../../server/start.js";
import { makeRelease, releaseKeys } from "../test-server.js";

describe("skyslot system", () => {
  let folder: string;
  let server: RunningServer;
  let key: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-cli-system-"));
    server = await startServer({ dataDir: join(folder, "data"), port: 0 });
    key = join(folder, "release.jwk");
    await writeFile(key, JSON.stringify((await releaseKeys()).privateKey));
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
      () => "",
      (error: Error) => error.message,
    );

  /** An image and its manifest. @returns the image's file */
  async function writeRelease(type: string, version: string): Promise<string> {
    const { image, release } = await makeRelease(version, { type });
    const file = join(folder, `${type}-${version}.bin`);
    await writeFile(file, image);
    await writeFile(file.replace(/bin$/, "release.jws"), `${release}\n`);
    return file;
  }
  const sign = async (version: string, ...more: string[]) => {
    const files = [await writeRelease("receiver", version), await writeRelease("transmitter", version)];
    const out = join(folder, `doorbell-${version}.system.jws`);
    const printed = await skyslot(
      "system",
      "sign",
      ...files,
      "--name",
      "doorbell",
      "--key",
      key,
      "--out",
      out,
      ...more,
    );
    return { files, out, printed };
  };

  it("signs which releases belong together, uploads that, and says what is missing until it is there", async () => {
    const { files, out, printed } = await sign(
      "1.1.0",
      "--description",
      "Rings twice",
      "--min-compatible",
      "1.0.0",
    );
    expect(printed).to.equal(`${out}: doorbell 1.1.0, receiver 1.1.0, then transmitter 1.1.0\n`);
    const { system } = readSystem((await readFile(out, "utf8")).trim());
    expect(system).to.include({ minCompatibleVersion: "1.0.0", description: "Rings twice" });
    expect(await atServer("system", "upload", out)).to.equal(
      "system 1: doorbell 1.1.0, incomplete: receiver 1.1.0 for esp32 is not here; transmitter 1.1.0 for esp32 is not here\n",
    );
    await atServer("release", "upload", files[0] as string, "--unstable");
    await atServer("release", "upload", files[1] as string);
    const shown = await atServer("system", "show", "1");
    expect(shown).to.match(
      /^system 1: doorbell 1\.1\.0, published\nRings twice\nsigned \d{4}-.*, from 1\.0\.0\n/,
    );
    expect(shown).to.match(/^transmitter +transmitter +esp32 +1\.1\.0 +0 +2$/m);
    expect(shown).to.contain(
      "transmitter 1.1.0 is stable, so its devices are offered it without the others: skyslot release demote 2",
    );
    expect(shown).not.to.contain("receiver 1.1.0 is stable");
    expect(await atServer("system", "list")).to.match(
      /^1 +doorbell +1\.1\.0 +\S+ \S+ .*receiver 1\.1\.0, transmitter 1\.1\.0 +published$/m,
    );
    expect(await atServer("system", "deactivate", "1")).to.equal(
      "system 1: doorbell 1.1.0, inactive: it was deactivated\n",
    );
    expect(JSON.parse(await atServer("system", "activate", "1", "--json"))).to.include({
      state: "published",
    });
    expect(JSON.parse(await atServer("system", "list", "--name", "garden", "--json"))).to.deep.equal({
      systems: [],
    });
  });

  it("names a device otherwise than by its type, and takes the manifest in place of the image", async () => {
    const file = await writeRelease("bridge", "2.0.0");
    const out = join(folder, "x.system.jws");
    const args = [`door=${file}`, `window=${file.replace(/bin$/, "release.jws")}`];
    const { components } = JSON.parse(
      await skyslot("system", "sign", ...args, "--name", "house", "--key", key, "--out", out, "--json"),
    );
    expect(components).to.deep.equal(["door 2.0.0", "window 2.0.0"]);
    const { system } = readSystem((await readFile(out, "utf8")).trim());
    expect(system.components.map(({ name, type }) => [name, type])).to.deep.equal([
      ["door", "bridge"],
      ["window", "bridge"],
    ]);
  });

  it("takes the waits and the expiry, and refuses what no device would read", async () => {
    const { out } = await sign(
      "1.1.0",
      "--reboot-delay",
      "9",
      "--health-timeout",
      "60",
      "--expires",
      "2030-01-31",
    );
    const { system } = readSystem((await readFile(out, "utf8")).trim());
    expect(system).to.include({
      rebootDelaySeconds: 9,
      healthTimeoutSeconds: 60,
      expires: Date.UTC(2030, 1, 1) / 1000 - 1,
    });
    expect(await failure(sign("1.1.0", "--health-timeout", "0").then(({ out }) => out))).to.contain(
      "healthTimeoutSeconds is not a number of seconds up to 3600",
    );
    const [older, newer] = [
      await writeRelease("receiver", "1.0.0"),
      await writeRelease("transmitter", "1.1.0"),
    ];
    const mixed = [
      "system",
      "sign",
      older,
      newer,
      "--name",
      "doorbell",
      "--key",
      key,
      "--out",
      join(folder, "m.jws"),
    ];
    expect(await failure(skyslot(...mixed))).to.equal(
      "the version of the system is missing, and its releases have 1.0.0, 1.1.0",
    );
    expect(await skyslot(...mixed, "--system-version", "7.0.0")).to.contain("doorbell 7.0.0");
    const publicKey = join(folder, "release.pub.jwk");
    await writeFile(publicKey, JSON.stringify((await releaseKeys()).publicKey));
    expect(await failure(skyslot("system", "sign", newer, "--name", "x", "--key", publicKey))).to.contain(
      "signing needs the private one",
    );
  });

  it("says what a server refuses", async () => {
    const { out } = await sign("1.1.0");
    await atServer("system", "upload", out);
    expect(await failure(atServer("system", "upload", out))).to.contain("ALREADY_EXISTS");
    expect(await failure(atServer("system", "show", "9"))).to.contain("SYSTEM_UNKNOWN");
    await writeFile(out, "\n");
    expect(await failure(atServer("system", "upload", out))).to.contain("is empty");
  });
});
