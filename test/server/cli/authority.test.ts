// `skyslot image build --authority`: what gets into an image, and what is refused with a sentence.

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { extractBundle } from "../../../host-sim/hardware/image/app-image.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { makeAuthority } from "../../journey/authority.js";

const NOW = Math.floor(Date.now() / 1000);
const DAY = 86_400;

describe("skyslot image build --authority", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-authority-"));
    await skyslot("keys", "tls", "--host", "localhost", "--out", join(folder, "tls"));
  });
  after(() => rm(folder, { recursive: true }));

  async function skyslot(...args: string[]): Promise<string> {
    let out = "";
    const restore = redirectOutput((text) => {
      out += text;
    });
    try {
      await createProgram().parseAsync(args, { from: "user" });
      return out;
    } catch (error) {
      return `${(error as Error).name}: ${(error as Error).message}`;
    } finally {
      restore();
    }
  }
  const build = (...flags: string[]) =>
    skyslot(
      ...["image", "build", "--app", "base", "--app-version", "1.0.0", "--server", "https://localhost:8443"],
      ...["--out", join(folder, "base.bin"), ...flags],
    );
  const file = async (name: string, content: string | Buffer) => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };

  it("builds in the authority of `keys tls`, PEM or DER, alone or beside the public ones", async () => {
    const base64 = (await readFile(join(folder, "tls", "ca.der"))).toString("base64");
    const built = async () => extractBundle(await readFile(join(folder, "base.bin")));
    expect(await build("--authority", join(folder, "tls", "ca.crt"))).include("base.bin");
    expect(await built()).include(`authorities:["${base64}"]`);
    const other = await file("other.der", Buffer.from(makeAuthority(NOW).certificate, "base64"));
    await build("--authority", join(folder, "tls", "ca.der"), other, "--public-authorities");
    expect(await built()).match(/authorities:\["[\w+/=]+","[\w+/=]+","public"\]/);
  });

  it("refuses what no device could use", async () => {
    const openssl = async (name: string, ...key: string[]) => {
      const out = join(folder, name);
      execFileSync(
        "openssl",
        [...["req", "-x509", "-nodes", "-subj", `/CN=${name}`, "-days", "9", "-out", out], ...key],
        { stdio: "ignore", cwd: folder },
      );
      return out;
    };
    const long = makeAuthority(NOW, "x".repeat(2_000)).certificate;
    const cases = [
      [
        join(folder, "tls", "server.crt"),
        "is the certificate of Skyslot update server, which is no certification",
      ],
      [join(folder, "tls", "ca.key"), "holds a private key: give the authority's certificate"],
      [
        await file("text.crt", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"),
        "is not a certificate",
      ],
      [await file("empty.crt", ""), "is not a certificate"],
      [
        await file("old.der", Buffer.from(makeAuthority(NOW - 2_000 * DAY).certificate, "base64")),
        `expired on ${new Date((NOW - 1_000 * DAY) * 1000).toISOString().slice(0, 10)}`,
      ],
      [await file("long.der", Buffer.from(long, "base64")), "bytes; 2048 are allowed"],
      [
        await openssl("weak.crt", "-newkey", "rsa:1024"),
        "has an RSA key of 1024 bits; devices accept 2048 and more",
      ],
      [await openssl("odd.crt", "-newkey", "ed25519"), "has a key of the kind ed25519"],
      [join(folder, "none.crt"), "ENOENT"],
    ];
    for (const [given = "", sentence] of cases) {
      const said = await build("--authority", given);
      expect(said).include(sentence).and.include(given);
    }
    expect(await build("--public-authorities")).include("--public-authorities needs --authority");
  });
});
