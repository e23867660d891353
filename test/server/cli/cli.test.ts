import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const SKYSLOT = fileURLToPath(new URL("../../../bin/skyslot.js", import.meta.url));

describe("the command line", () => {
  let folder: string;
  let server: ChildProcess | undefined;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-cli-"));
  });
  after(async () => {
    server?.kill("SIGTERM");
    await rm(folder, { recursive: true, force: true });
  });

  const skyslot = (
    ...args: string[]
  ): Promise<{ readonly status: number; readonly out: string; readonly err: string }> =>
    new Promise((resolve) => {
      execFile(process.execPath, [SKYSLOT, ...args], { cwd: folder }, (error, out, err) =>
        resolve({ status: error ? Number(error.code) : 0, out, err }),
      );
    });
  const json = async (...args: string[]) => {
    const { status, out, err } = await skyslot(...args, "--json");
    expect(status, err).to.equal(0);
    return JSON.parse(out);
  };

  it("takes a release from the key to a server, by the commands of the README", async () => {
    const keys = await json("keys", "init");
    expect(keys).to.deep.include({ private_key: "release.jwk", public_key: "release.pub.jwk" });
    expect((await stat(join(folder, "release.jwk"))).mode & 0o777).to.equal(0o600);
    expect(await readFile(join(folder, "release.pub.jwk"), "utf8")).not.to.contain('"d"');
    const { file } = await json(
      "image",
      "build",
      "--app",
      "base",
      "--app-version",
      "1.1.0",
      "--key",
      "release.pub.jwk",
    );
    expect(await json("image", "show", file)).to.include({
      version: "1.1.0",
      project: "base",
      chip: "esp32",
    });
    const signed = await json(
      "release",
      "sign",
      file,
      "--type",
      "base",
      "--key",
      "release.jwk",
      "--expires",
      "90d",
    );
    expect(signed).to.include({ type: "base", version: "1.1.0", build: 0 });

    const url = await new Promise<string>((resolve, reject) => {
      server = spawn(process.execPath, [SKYSLOT, "server", "--port", "0", "--trust", "release.pub.jwk"], {
        cwd: folder,
      });
      let said = "";
      server.stdout?.on("data", (text) => {
        said += text;
        const [, found] = /listens on (http:\S+);/.exec(said) ?? [];
        if (found) resolve(found);
      });
      server.on("exit", () => reject(new Error(said)));
    });
    const uploaded = await json("release", "upload", file, "--server", url);
    expect(uploaded).to.include({ id: 1, version: "1.1.0", is_stable: true });
    expect((await json("firmware", "list", "--server", url)).firmware).to.have.length(1);
    expect((await json("firmware", "logs", "--server", url)).logs).to.deep.equal([]);
    const table = await skyslot("firmware", "list", "--server", url);
    expect(table.out)
      .to.match(/^ID +TYPE +VERSION/)
      .and.to.match(/^1 +base +1\.1\.0/m);
    expect(table.out).not.to.contain("\u001b");

    const again = await skyslot("release", "upload", file, "--server", url);
    expect(again.status).to.equal(1);
    expect(again.err).to.match(/^skyslot: http:\S+ answers 409 ALREADY_EXISTS: .*registered already\n$/);
    const withoutToken = await skyslot(
      "firmware",
      "register",
      signed.file,
      "--server",
      url,
      "--data",
      "elsewhere",
    );
    expect(withoutToken.err).to.contain("401 UNAUTHORIZED");
  });

  it("says in one sentence what went wrong", async () => {
    const image = "base-1.1.0-esp32.bin";
    const cases = [
      [["keys", "init"], 1, "release.jwk already exists"],
      [["release", "sign", "none.bin", "--key", "release.jwk"], 1, "file none.bin does not exist"],
      [["release", "sign", "release.jwk", "--key", "release.jwk"], 1, "first byte is 0x7b"],
      [["image", "build", "--app", "base", "--app-version", "one"], 1, "is not a version"],
      [
        ["firmware", "list", "--server", "http://127.0.0.1:47999"],
        1,
        "http://127.0.0.1:47999 does not answer (ECONNREFUSED)",
      ],
      [["release", "sign", image, "--key", "release.pub.jwk"], 1, "release.pub.jwk contains a public key"],
      [["release", "sign", image, "--key", image], 1, `${image} has`],
      [["sim", "--server", "x"], 2, '--server is "x", it must be a URL such as http://'],
      [["firmware", "list", "--server", "localhost:8080"], 2, '--server is "localhost:8080"'],
      [["import", "none", "--data", "fresh"], 1, "file none does not exist"],
      [["import", ".", "--data", "fresh"], 2, ". is a folder"],
      [["server", "--port", "99999"], 2, "port 99999 is above 65535"],
      [["server", "--max-connections", "0"], 2, "0 would refuse every client"],
      [["server", "--new-devices-per-minute", "0"], 2, "0 would refuse every client"],
      [["server", "--trust-proxy", "proxy.example"], 1, '"proxy.example" is no proxy to trust'],
    ] as const;
    for (const [args, status, sentence] of cases) {
      const answer = await skyslot(...args);
      expect(answer.err, args.join(" ")).to.contain(sentence);
      expect(answer.status, args.join(" ")).to.equal(status);
      expect(answer.err.trim().split("\n"), args.join(" ")).to.have.length(1);
    }
    expect(await readdir(folder), "of a refused import").not.to.include("fresh");
  });

  it("exits with 2 and points to the help when the usage is wrong", async () => {
    for (const args of [
      ["nonsense"],
      ["release", "sign"],
      ["image", "build", "--app", "base", "--chip", "z80"],
    ]) {
      const { status, err } = await skyslot(...args);
      expect(status, args.join(" ")).to.equal(2);
      expect(err).to.match(/^error: /);
    }
  });

  it("lists every command in its help", async () => {
    const { status, out } = await skyslot("--help");
    expect(status).to.equal(0);
    for (const command of ["demo", "keys", "image", "release", "server", "firmware", "sim"]) {
      expect(out).to.match(new RegExp(`^  ${command} `, "m"));
    }
  });
});
