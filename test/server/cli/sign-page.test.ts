import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { makeReleaseKeys } from "../../../release/keys.js";
import { buildSignPage } from "../../../release/sign-page/sign-page.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { startServer } from "../../../server/start.js";
import { smallImage } from "../../release/payloads.js";

describe("skyslot release", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-cli-sign-"));
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
  const failure = (...args: string[]) =>
    skyslot(...args).then(
      (out) => `no failure: ${out}`,
      (error: Error) => error.message,
    );
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };

  it("sign-page writes the page that signs, prints its checksum, and finds a page that was changed", async () => {
    const { html, sha256, version } = await buildSignPage();
    const page = join(folder, "sign.html");
    expect(await skyslot("release", "sign-page", "--out", page)).equal(`${page}: SHA-256 ${sha256}\n`);
    expect(await readFile(page, "utf8")).equal(html);
    expect(await skyslot("release", "sign-page", "--check", page)).equal(
      `${page}: SHA-256 ${sha256}, as this copy of Skyslot ${version} makes it\n`,
    );
    expect(JSON.parse(await skyslot("release", "sign-page", "--check", page, "--json"))).deep.equal({
      file: page,
      sha256,
      version,
    });
    for (const changed of [
      html.replace("connect-src 'none'", "connect-src *"),
      `${html} `,
      html.slice(1),
      "",
    ]) {
      expect(await failure("release", "sign-page", "--check", await file("other.html", changed))).match(
        /other\.html is not the page that this copy of Skyslot \S+ makes: do not give it your key/,
      );
    }
    expect(await failure("release", "sign-page", "--check", join(folder, "none.html"))).contain("ENOENT");
  });

  it("sign says what is wrong with a key", async () => {
    const image = await file("base.bin", smallImage("1.1.0"));
    const { privateKey, publicKey } = await makeReleaseKeys();
    for (const [text, sentence] of [
      [JSON.stringify(publicKey), "contains a public key"],
      ["-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB", "is locked with a passphrase"],
      ["-----BEGIN PRIVATE KEY-----\nMIIB", "is in PEM form"],
      ["{", "is not JSON"],
      [JSON.stringify({ ...privateKey, d: "AAAA" }), "the key is damaged"],
    ] as const)
      expect(await failure("release", "sign", image, "--key", await file("k.jwk", text)), text).contain(
        sentence,
      );
    const key = await file("release.jwk", JSON.stringify(privateKey));
    expect(await skyslot("release", "sign", image, "--key", key, "--expires", "2031-05-09")).contain(
      "base 1.1.0",
    );
    const manifest = await readFile(join(folder, "base.release.jws"), "utf8");
    const payload = JSON.parse(Buffer.from(manifest.split(".")[1] ?? "", "base64url").toString());
    expect(payload.expires, "the end of that day").equal(Date.UTC(2031, 4, 10) / 1000 - 1);
    expect(await failure("release", "verify", image, "--key", await file("v.jwk", "nothing"))).contain(
      "is not JSON",
    );
    const build = [
      "image",
      "build",
      "--app",
      "base",
      "--app-version",
      "1.0.0",
      "--out",
      join(folder, "b.bin"),
    ];
    expect(await failure(...build, "--key", await file("v.jwk", "nothing"))).contain(
      "is not a public P-256 key",
    );
  });

  it("keys that are private are refused by a server that finds them among those that it trusts", async () => {
    const { privateKey, publicKey } = await makeReleaseKeys();
    const key = await file("release.jwk", JSON.stringify(privateKey));
    const data = join(folder, "data");
    expect(await failure("server", "--port", "0", "--data", data, "--trust", key)).contain(
      "contains a private key, which a server must not have",
    );
    await mkdir(join(data, "trusted"), { recursive: true, mode: 0o700 });
    const found = join(data, "trusted", "release.jwk");
    await writeFile(found, JSON.stringify(privateKey));
    const started = await startServer({ dataDir: data, port: 0 }).then(
      (server) => server.close().then(() => "started"),
      (error: Error) => error.message,
    );
    expect(started).equal(
      `${found} contains a private key, which a server must not have: give it the one with .pub in its name, and keep this one elsewhere`,
    );
    await writeFile(found, JSON.stringify(publicKey));
    await (await startServer({ dataDir: data, port: 0 })).close();
  });
});
