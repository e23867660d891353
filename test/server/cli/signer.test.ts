// `--signer` with tools that hold keys: openssl, and a token of SoftHSM by pkcs11-tool. Their public keys come from them, by `skyslot keys import`.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { readRelease, verifyReleaseSignature } from "../../../release/signing.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { makeRelease } from "../test-server.js";

describe("signing by a command", () => {
  let folder: string;
  let image: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-signer-"));
    image = join(folder, "base-1.1.0.bin");
    await writeFile(image, (await makeRelease("1.1.0")).image);
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
  const at = (name: string): string => join(folder, name);
  const failure = (work: Promise<string>): Promise<string> =>
    work.then(
      () => "nothing",
      (error: Error) => error.message,
    );

  /** Signs, and verifies as a server and as the command line do. */
  async function expectSigned(signer: string, key: string): Promise<void> {
    await skyslot("release", "sign", image, "--key", key, "--signer", signer);
    const jws = (await readFile(at("base-1.1.0.release.jws"), "utf8")).trim();
    await verifyReleaseSignature(readRelease(jws), [JSON.parse(await readFile(key, "utf8"))]);
    expect(await skyslot("release", "verify", image, "--key", key)).match(
      /base 1\.1\.0 for esp32, signed by/,
    );
  }

  it("works with openssl, with the digest in a file and on its input", async function () {
    if (spawnSync("openssl", ["version"]).status !== 0) return skip(this, "openssl is missing");
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", at("key.pem"));
    openssl("pkey", "-in", at("key.pem"), "-pubout", "-out", at("token.pem"));
    const imported = await skyslot("keys", "import", at("token.pem"));
    expect(imported).match(/token\.pub\.jwk \(public\), key [\w-]{43}/);
    const sign = `openssl pkeyutl -sign -inkey '${at("key.pem")}'`;
    await expectSigned(`${sign} -in {digest}`, at("token.pub.jwk"));
    await expectSigned(sign, at("token.pub.jwk"));
    await expectSigned(`${sign} | base64`, at("token.pub.jwk"));
    const manifest = await readFile(at("base-1.1.0.release.jws"));
    openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", at("key.pem"));
    expect(
      await failure(
        skyslot("release", "sign", image, "--key", at("token.pub.jwk"), "--signer", `${sign} -in {digest}`),
      ),
    ).match(/no signature by this key/);
    expect(await readFile(at("base-1.1.0.release.jws"))).deep.equal(manifest);
  });

  it("works with a token of SoftHSM, whose key never leaves it", async function () {
    const module = await softhsm();
    if (module === undefined) return skip(this, "softhsm2 or opensc is missing");
    await mkdir(at("tokens"));
    await writeFile(
      at("softhsm2.conf"),
      `directories.tokendir = ${at("tokens")}\nobjectstore.backend = file\n`,
    );
    const before = process.env.SOFTHSM2_CONF;
    process.env.SOFTHSM2_CONF = at("softhsm2.conf");
    try {
      const token = ["--module", module, "--token-label", "skyslot"];
      run(
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "skyslot",
        "--pin",
        "1234",
        "--so-pin",
        "5678",
      );
      const make = ["--keypairgen", "--key-type", "EC:prime256v1", "--id", "01", "--label", "release"];
      run("pkcs11-tool", ...token, "--login", "--pin", "1234", ...make);
      run("pkcs11-tool", ...token, "--read-object", "--type", "pubkey", "--id", "01", "-o", at("token.der"));
      await skyslot("keys", "import", at("token.der"));
      const signer = `pkcs11-tool ${token.join(" ")} --login --pin 1234 --sign --mechanism ECDSA --id 01 2>/dev/null`;
      await expectSigned(signer, at("token.pub.jwk"));
      await expectSigned(`${signer} -i {digest} --signature-format openssl`, at("token.pub.jwk"));
      expect(
        await failure(
          skyslot(
            "release",
            "sign",
            image,
            "--key",
            at("token.pub.jwk"),
            "--signer",
            signer.replace("1234", "9999"),
          ),
        ),
      ).match(/^the signer ended with 1: nothing was signed/);
    } finally {
      if (before === undefined) delete process.env.SOFTHSM2_CONF;
      else process.env.SOFTHSM2_CONF = before;
    }
  });

  it("imports public keys on P-256 only, and replaces no file", async () => {
    const { generateKeyPairSync } = await import("node:crypto");
    const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const files: Readonly<Record<string, string | Buffer>> = {
      "ok.pem": ec.publicKey.export({ type: "spki", format: "pem" }),
      "private.pem": ec.privateKey.export({ type: "pkcs8", format: "pem" }),
      "p384.der": generateKeyPairSync("ec", { namedCurve: "P-384" }).publicKey.export({
        type: "spki",
        format: "der",
      }),
      "ed25519.pem": generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }),
      "noise.der": Buffer.from("noise"),
    };
    for (const [name, content] of Object.entries(files)) await writeFile(at(name), content);
    await skyslot("keys", "import", at("ok.pem"));
    expect(await failure(skyslot("keys", "import", at("ok.pem")))).match(/EEXIST/);
    expect(await failure(skyslot("keys", "import", at("private.pem")))).match(/has no block "PUBLIC KEY"/);
    for (const name of ["p384.der", "ed25519.pem"])
      expect(await failure(skyslot("keys", "import", at(name))), name).match(
        /a release key is kty EC, crv P-256/,
      );
    expect(await failure(skyslot("keys", "import", at("noise.der")))).match(
      /is no public key in PEM or DER form/,
    );
    expect(existsSync(at("private.pub.jwk"))).equal(false);
  });
});

/** @returns never: the test ends here, with the reason in its report */
function skip(test: Mocha.Context, reason: string): void {
  test.test!.title += ` (${reason})`;
  test.skip();
}

const run = (command: string, ...args: readonly string[]) => execFileSync(command, args, { stdio: "pipe" });
const openssl = (...args: readonly string[]) => run("openssl", ...args);

/** SoftHSM's module, if it and pkcs11-tool are there. */
async function softhsm(): Promise<string | undefined> {
  if (spawnSync("pkcs11-tool", ["--version"]).error || spawnSync("softhsm2-util", ["--version"]).error)
    return undefined;
  const folders = (await readdir("/usr/lib").catch(() => [])).map((name) => `/usr/lib/${name}/softhsm`);
  return ["/usr/lib/softhsm", ...folders]
    .map((place) => join(place, "libsofthsm2.so"))
    .find((file) => existsSync(file));
}
