// The test of a board, run on a virtual device: the script and the simulator are separate processes, as a user starts them.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { DESK_SERVER, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { buildImage } from "../../host-sim/image-build/image.js";
import { makeReleaseKeys } from "../../release/keys.js";
import type { Outcome } from "../../scripts/chip-journey/table.js";

const SPEED = 20;
const LIMIT_MS = 240_000;

interface Ended {
  readonly status: number | null;
  readonly result: { readonly ok: boolean; readonly steps: readonly Outcome[] };
  readonly progress: string;
}

describe("the test of a board, on a virtual device", function () {
  this.timeout(LIMIT_MS);
  const folder = mkdtempSync(join(tmpdir(), "skyslot-chip-journey-"));
  const file = (name: string) => join(folder, name);
  let ports: readonly number[];
  let script: ChildProcess | undefined;

  before(async () => {
    const { privateKey, publicKey } = await makeReleaseKeys();
    writeFileSync(file("release.jwk"), JSON.stringify(privateKey));
    writeFileSync(file("stranger.jwk"), JSON.stringify((await makeReleaseKeys()).privateKey));
    const { kid = "", x = "", y = "" } = publicKey;
    const config = { type: "base", server: DESK_SERVER, keys: [{ kid, x, y }], trialSeconds: 8 };
    const apps = { a: "base", throws: "throws-later", hangs: "hangs", dies: "throws" };
    for (const [name, app] of Object.entries(apps)) {
      const source = name === "a" ? app : join("test/journey/apps", `${app}.ts`);
      writeFileSync(file(`${name}.bin`), await buildImage({ app: source, version: "1.0.0", config }));
    }
    ports = await freePorts(3);
  });

  beforeEach(() => {
    for (const name of ["flash.bin", "sim.log"]) rmSync(file(name), { force: true });
    const image = ["sim", "image", "--image", file("a.bin"), "--out", file("flash.bin")];
    execFileSync(process.execPath, ["bin/skyslot.js", ...image]);
  });

  afterEach(() => {
    script?.kill("SIGKILL");
    if (existsSync(file("pid"))) execFileSync("sh", ["-c", powerOff()]);
  });

  after(() => rmSync(folder, { recursive: true }));

  /** Stops it at any point; its flash is in the file afterwards. */
  const powerOff = () => `
    cd ${folder}; [ -f pid ] || exit 0
    kept() { grep -c "flash is saved" sim.log; }
    before=$(kept); kill -TERM $(cat pid)
    tries=0
    while [ "$(kept)" = "$before" ] && [ $((tries += 1)) -lt 600 ]; do sleep 0.05; done
    kill -KILL $(cat pid); rm pid`;

  const powerOn = () => {
    const [server, page, push] = ports;
    const options = [
      `--server http://127.0.0.1:${server} --page-port ${page} --push-port ${push}`,
      `--flash ${file("flash.bin")} --speed ${SPEED}`,
    ];
    return `${process.execPath} bin/skyslot.js sim ${options.join(" ")} >>${file("sim.log")} 2>&1 & echo $! >${file("pid")}`;
  };

  function run(...more: readonly string[]): Promise<Ended> {
    const [server, page, push] = ports.map((port) => `127.0.0.1:${port}`);
    const images = ["a", "throws", "hangs", "dies"].flatMap((name) => [
      `--image-${name}`,
      file(`${name}.bin`),
    ]);
    const doors = ["--listen", server, "--page", page, "--push", push, "--serial", file("sim.log")];
    const power = ["--power-off", powerOff(), "--power-on", powerOn()];
    const all = [...images, ...doors, ...power, "--token", OWNER_TOKEN, "--json", ...more] as string[];
    const child = spawn(process.execPath, ["--import", "tsx", "scripts/chip-journey.ts", ...all], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    script = child;
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const)
      child[name].setEncoding("utf8").on("data", (part: string) => {
        text[name] += part;
      });
    return new Promise((resolve, reject) => {
      child.once("close", (status) => {
        try {
          resolve({ status, result: JSON.parse(text.stdout), progress: text.stderr });
        } catch {
          reject(new Error(`it ended with ${status}: ${text.stdout}${text.stderr}`));
        }
      });
    });
  }

  it("fails when the device accepts no image that is signed by the given key", async () => {
    const { status, result } = await run("--key", file("stranger.jwk"), "--only", "takes a push");
    expect(result.ok).to.equal(false);
    expect(status).to.equal(1);
    const failed = result.steps.filter((step) => step.result === "failed");
    expect(failed.map(({ step }) => step)).to.deep.equal(["takes a push and validates it"]);
    expect(failed[0]?.detail).to.match(/was answered 422: .*which this firmware does not trust/);
  });

  it("passes every step, and prints one line for each", async () => {
    const { status, result, progress } = await run("--key", file("release.jwk"));
    const others = result.steps.filter((step) => step.result !== "passed");
    expect(others).to.deep.equal([]);
    expect(status).to.equal(0);
    expect(result.steps.length).to.be.above(15);
    for (const { step } of result.steps) expect(progress).to.include(`✔ ${step}, `);
    const detailOf = (part: string) => result.steps.find(({ step }) => step.includes(part))?.detail;
    expect(detailOf("resumes where")).to.match(/^at byte [1-9]\d* of \d+$/);
    expect(detailOf("that hangs")).to.match(/task watchdog/);
    expect(detailOf("fills its slot")).to.match(/^2097152 bytes in /);
    expect(readFileSync(file("sim.log"), "utf8")).to.include("the owner asked for: reset");
  });
});

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => new Promise((resolve) => server.once("listening", resolve))));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return ports;
}
