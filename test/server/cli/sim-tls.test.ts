// An update server by https and a virtual device in real time, by the commands that a user enters: from `skyslot keys tls` to the validated update.

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const SKYSLOT = fileURLToPath(new URL("../../../bin/skyslot.js", import.meta.url));
/** The device's 30 s for an answer are 3 s of a busy computer. */
const SPEED = ["--speed", "10", "--push-port", "0"];

describe("skyslot sim with a server by https", function () {
  this.timeout(180_000);
  let folder: string;
  let port: string;
  const running: ChildProcess[] = [];
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-sim-tls-"));
    await skyslot("keys", "tls", "--host", "updates.skyslot.test", "--host", "localhost");
    await skyslot("keys", "tls", "--host", "localhost", "--out", "other");
    await skyslot("keys", "init");
    const server = start(
      "server",
      "--port",
      "0",
      "--tls-cert",
      "tls/server.crt",
      "--tls-key",
      "tls/server.key",
    );
    [, port = ""] = await server.says(/https:\/\/127\.0\.0\.1:(\d+)/);
  });
  after(async () => {
    await Promise.all(running.map(stop));
    await rm(folder, { recursive: true });
  });

  const skyslot = async (...args: string[]): Promise<string> => {
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: join(folder, "tls/ca.crt") };
    return (await promisify(execFile)(process.execPath, [SKYSLOT, ...args], { cwd: folder, env })).stdout;
  };

  /** A command that runs until it is stopped. */
  function start(...args: string[]) {
    const child = spawn(process.execPath, [SKYSLOT, ...args], { cwd: folder });
    running.push(child);
    let said = "";
    let look = () => {};
    const hear = (text: Buffer) => {
      said += text;
      look();
    };
    child.stdout.on("data", hear);
    child.stderr.on("data", hear);
    return {
      child,
      says: (words: RegExp): Promise<RegExpExecArray> =>
        new Promise((resolve, reject) => {
          look = () => {
            const found = words.exec(said);
            if (found) resolve(found);
          };
          child.once("exit", () => reject(new Error(`it has ended, and did not say ${words}:\n${said}`)));
          look();
        }),
    };
  }
  const stop = (child: ChildProcess): Promise<unknown> =>
    child.exitCode !== null || child.signalCode !== null
      ? Promise.resolve()
      : new Promise((resolve) => {
          child.once("exit", resolve);
          child.kill("SIGTERM");
        });

  it("updates a device whose firmware has the authority built in, to the end", async () => {
    const image = "base-1.1.0-esp32.bin";
    const url = `https://updates.skyslot.test:${port}`;
    const build = [
      "--app",
      "base",
      "--app-version",
      "1.1.0",
      "--key",
      "release.pub.jwk",
      "--trial-seconds",
      "2",
    ];
    await skyslot("image", "build", ...build, "--server", url, "--authority", "tls/ca.crt");
    await skyslot("release", "sign", image, "--type", "base", "--key", "release.jwk");
    await skyslot("release", "upload", image, "--server", `https://localhost:${port}`);
    const flags = ["--server", `https://localhost:${port}`, "--authority", "tls/ca.crt", ...SPEED];
    const { child, says } = start("sim", ...flags, "--key", "release.pub.jwk");
    await says(/writing ota_0 100 %/);
    await says(/trial passed, image validated/);
    const { logs } = JSON.parse(
      await skyslot("firmware", "logs", "--server", `https://localhost:${port}`, "--json"),
    );
    expect(logs[0]).include({ status: "success", device_id: "base-3eece8" });
    await stop(child);
  });

  it("of an authority that the firmware does not trust says so, and what to do", async () => {
    const flags = ["--server", `https://localhost:${port}`, "--authority", "other/ca.crt", ...SPEED];
    const { child, says } = start("sim", ...flags, "--id", "stranger");
    const [line] = await says(/TLS_.*/);
    expect(line).equal(
      "TLS_UNTRUSTED: updates.skyslot.test has a certificate that is not signed by an authority that this device trusts: give the device that authority, in its build or on its page",
    );
    await stop(child);
  });

  it("refuses a server that is not on this machine, and an authority for firmware that is built already", async () => {
    const failure = (...flags: string[]) =>
      skyslot("sim", ...flags).then(
        () => "no failure",
        (error: { readonly stderr: string }) => error.stderr,
      );
    expect(await failure("--server", "https://updates.example.test")).include(
      "https://updates.example.test is not a server on this machine",
    );
    expect(await failure("--image", "base-1.1.0-esp32.bin", "--authority", "tls/ca.crt")).include(
      "for --image, give it to `skyslot image build`",
    );
  });
});
