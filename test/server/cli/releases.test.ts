// Commands for releases, types and the audit log, against a running server; and shell completion.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";
import { type RunningServer, startServer } from "../../../server/start.js";
import { arduinoImage } from "../dialects/legacy-server.js";
import { makeRelease, releaseKeys } from "../test-server.js";

describe("skyslot release, type and audit", () => {
  let folder: string;
  let server: RunningServer;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-cli-releases-"));
    server = await startServer({ dataDir: join(folder, "data"), port: 0 });
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
  const failure = (...args: string[]) =>
    atServer(...args).then(
      () => "",
      (error: Error) => error.message,
    );

  it("verifies an image against its manifest, and finds what is wrong", async () => {
    const made = await makeRelease("1.1.0");
    const image = join(folder, "base.bin");
    const key = join(folder, "key.jwk");
    await writeFile(image, made.image);
    await writeFile(join(folder, "base.release.jws"), made.release);
    await writeFile(key, JSON.stringify((await releaseKeys()).publicKey));
    expect(await skyslot("release", "verify", image, "--key", key)).to.match(
      /base 1\.1\.0 for esp32, signed by/,
    );
    const middle = made.image.length >> 1;
    made.image[middle] = (made.image[middle] ?? 0) ^ 1;
    await writeFile(image, made.image);
    const wrong = await skyslot("release", "verify", image, "--key", key).catch(
      (error: Error) => error.message,
    );
    expect(wrong).to.match(
      /bytes 0 to \d+ do not match the manifest: the hash of page 0 of their digests differs/,
    );
  });

  it("signs in format 2, in format 1 for devices that read nothing else, in format 3 for two signatures, and in no other", async () => {
    const { image } = await makeRelease("1.1.0");
    const [file, key] = [join(folder, "base.bin"), join(folder, "release.jwk")];
    await writeFile(file, image);
    await writeFile(key, JSON.stringify((await releaseKeys()).privateKey));
    const signed = async (...flags: string[]) =>
      JSON.parse(await skyslot("release", "sign", file, "--key", key, "--json", ...flags));
    const payload = async () => {
      const jws = await readFile(join(folder, "base.release.jws"), "utf8");
      return JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString());
    };
    expect(await signed()).to.include({ format: 2, version: "1.1.0" });
    expect(await payload())
      .to.include({ format: 2, chunkSize: 16_384 })
      .and.have.property("pages");
    expect(await signed("--format", "1", "--chunk-size", "32768")).to.include({ format: 1 });
    expect(await payload())
      .to.include({ format: 1, chunkSize: 32_768 })
      .and.have.property("chunks");
    expect(await signed("--format", "3")).to.include({ format: 3, version: "1.1.0" });
    const { payload: signedPayload, signatures } = JSON.parse(
      await readFile(join(folder, "base.release.jws"), "utf8"),
    ) as { readonly payload: string; readonly signatures: readonly unknown[] };
    expect(JSON.parse(Buffer.from(signedPayload, "base64url").toString())).to.include({ format: 3 });
    expect(signatures).to.have.length(1);
    expect(await signed("--format", "4").catch((error: Error) => error.message)).to.match(/is not 1, 2 or 3/);
  });

  it("uploads legacy firmware once its type is legacy, and promotes and deactivates it", async () => {
    const image = join(folder, "scales.bin");
    await writeFile(image, arduinoImage("system".repeat(5)));
    const upload = [
      "firmware",
      "upload",
      image,
      "--legacy",
      "scales",
      "--firmware-version",
      "1.2.0",
      "--unstable",
    ];
    expect(await failure(...upload)).to.contain("TYPE_IS_SIGNED");
    expect(await atServer("type", "set", "scales", "legacy")).to.equal("type scales is legacy\n");
    expect(await atServer("type", "list")).to.match(/^scales +legacy/m);
    expect(await failure("type", "set", "scales", "none")).to.contain("signed or legacy");
    expect(await atServer(...upload)).to.match(/^firmware 1: scales 1\.2\.0/);
    expect(await atServer("release", "promote", "1")).to.equal("firmware 1: scales 1.2.0, stable\n");
    await atServer("rollout", "create", "1", "--name", "first", "--start");
    expect(await atServer("release", "promote", "1")).to.equal(
      'firmware 1: scales 1.2.0, stable, offered only to the devices of its rollout 1 "first" (running)\n',
    );
    await atServer("rollout", "cancel", "1");
    expect(await atServer("release", "promote", "1")).to.equal(
      "firmware 1: scales 1.2.0, stable, but offered to no device, because a release that has rollouts is offered by these only: " +
        '1 "first" (cancelled): make another one to offer it\n',
    );
    expect(await atServer("release", "deactivate", "1")).to.equal("firmware 1: scales 1.2.0, inactive\n");
    expect(await atServer("release", "list")).to.match(/^1 +scales +1\.2\.0 .* no +\d{4}-/m);
    expect(await failure("release", "promote", "99")).to.contain("FIRMWARE_UNKNOWN");
    const audit = await atServer("audit");
    expect(audit)
      .to.match(/local administrator/)
      .and.match(/scales/);
    const [id] = /^\d+(?= .* type\.changed .* yes$)/m.exec(audit) ?? [];
    expect(await atServer("audit", "undo", id ?? "")).to.equal(
      "type scales is signed again: it accepts no unsigned firmware\n",
    );
    expect(await atServer("type", "list")).to.match(/scales +signed/);
    expect(await failure("audit", "undo", id ?? "")).to.contain("NOT_UNDOABLE");
    expect(await failure("audit", "undo", "latest")).to.contain('"latest" is not an integer');
  });

  it("lets a shell complete commands and options", async () => {
    const script = join(folder, "completion.bash");
    await writeFile(script, await skyslot("completion", "bash"));
    const completeBy = (name: string, ...words: string[]) =>
      execFileSync("bash", [
        "-c",
        `source ${script}; COMP_WORDS=("$@"); COMP_CWORD=$(($#-1)); ${name}; echo "\${COMPREPLY[@]}"`,
        "bash",
        ...words,
      ])
        .toString()
        .trim()
        .split(" ");
    const complete = (...words: string[]) => completeBy("_skyslot", "skyslot", ...words);
    expect(complete("rollout", "p")).to.have.members(["plan", "pause", "promote"]);
    for (const words of [
      ["skyslot", "rollout", "p"],
      ["--yes", "skyslot", "rollout", "p"],
    ])
      expect(completeBy("_skyslot_npx", "npx", ...words)).to.have.members(["plan", "pause", "promote"]);
    expect(completeBy("_skyslot_npx", "npx", "sky")).to.deep.equal([""]);
    expect(completeBy("_skyslot_npx", "npx", "mocha", "rollout", "p")).to.deep.equal([""]);
    const registered = (before: string) =>
      execFileSync("bash", ["-c", `${before}; source ${script}; complete -p npx`])
        .toString()
        .trim();
    expect(registered("true")).to.equal("complete -o default -F _skyslot_npx npx");
    expect(registered("complete -W own npx")).to.equal("complete -W 'own' npx");
    expect(complete("release", "sign", "--ke")).to.deep.equal(["--key"]);
    expect(complete("par")).to.deep.equal(["partitions"]);
    expect(await readFile(script, "utf8")).to.contain("complete -o default -F _skyslot skyslot");
  });

  it("lets zsh complete them too", async function () {
    if (spawnSync("zsh", ["-c", ""]).error) {
      console.warn("      skipped: no zsh (Debian package zsh)");
      this.skip();
    }
    const script = join(folder, "completion.zsh");
    await writeFile(script, await skyslot("completion", "zsh"));
    // As zsh's bashcompinit calls it: as a shell that counts from 0.
    const ask = `autoload -U compinit; compinit -D; source "$1"; shift
      f() { emulate -L sh; COMP_WORDS=(skyslot "$@"); COMP_CWORD=$#; _skyslot; echo "\${COMPREPLY[@]}"; }; f "$@"`;
    const complete = (...words: string[]) =>
      execFileSync("zsh", ["-fc", ask, "zsh", script, ...words])
        .toString()
        .trim()
        .split(" ");
    // zsh itself filters out what does not match.
    expect(complete("rollout", "p")).to.include.members(["plan", "pause", "promote"]).and.not.include("sign");
    expect(complete("release", "sign", "--ke"))
      .to.include("--key")
      .and.not.include("--stage");
  });
});
