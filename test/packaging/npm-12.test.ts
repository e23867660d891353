// The first command of the README on a clean machine: the contents of the repository, in an empty folder, with a newer Node and npm 12,
// which runs only those install scripts that package.json allows. Both come from the registry into build/npm-12 and stay there.
//
// About 45 s on an idle machine with two cores, 35 s if Node and npm are there already. Most of it is better-sqlite3, which is
// compiled where no prebuilt binary can be downloaded.

import { execFileSync, type SpawnSyncReturns, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { expect } from "chai";
import { parseVersion } from "../../firmware/core/update/version.js";

const TOOLS = resolve("build/npm-12");
const NODE_FOLDER = join(TOOLS, "node_modules", `node-${process.platform}-${process.arch}`);
const NODE = join(NODE_FOLDER, "bin/node");
const NPM = join(TOOLS, "node_modules/npm/bin/npm-cli.js");
const NO_NETWORK = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT)\b/;
const LIMIT_MS = 300_000;

type Ended = SpawnSyncReturns<string>;

/** Why Node and npm 12 are not available here, if they are not. */
function missingTools(): string | undefined {
  if (process.platform === "win32") return "written for Linux and macOS";
  if (!existsSync(NODE) || !existsSync(NPM)) {
    mkdirSync(TOOLS, { recursive: true });
    const packages = ["npm@12", `node-${process.platform}-${process.arch}@26`];
    const { status, stderr } = spawnSync(
      "npm",
      ["install", "--prefix", TOOLS, "--no-save", "--no-audit", "--no-fund", ...packages],
      { encoding: "utf8", timeout: LIMIT_MS },
    );
    if (NO_NETWORK.test(stderr)) return "the package registry cannot be reached";
    if (status !== 0) throw new Error(stderr);
  }
  return spawnSync(NODE, ["--version"]).status === 0 ? undefined : `${NODE} does not run here`;
}

/** What is or could be committed, in its current state. */
function copyTree(folder: string): void {
  const list = execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]);
  const paths = list.toString().split("\0");
  for (const path of paths.filter(
    (each) => /^(?!test\/|docs\/|node_modules$)./.test(each) && existsSync(each),
  ))
    cpSync(path, join(folder, path), { recursive: true });
}

/** Without variables of the npm that runs these tests. */
function environment(): NodeJS.ProcessEnv {
  const foreign =
    /^(NODE_|npm_(package|lifecycle|execpath|node_execpath|config_(.*prefix|node_gyp|user_agent|npm_version)))/;
  const own = Object.entries(process.env).filter(([name]) => !foreign.test(name));
  return {
    ...Object.fromEntries(own),
    PATH: [join(NODE_FOLDER, "bin"), process.env.PATH].join(delimiter),
    // If it has to be compiled: with this Node's headers, and without optimising, which takes three times as long.
    npm_config_nodedir: NODE_FOLDER,
    CFLAGS: "-O0",
    CXXFLAGS: "-O0",
    JOBS: "max",
  };
}

describe("a clean machine with npm 12", function () {
  this.timeout(LIMIT_MS);
  let folder: string | undefined;

  before(function () {
    const reason = existsSync(".git") ? missingTools() : "this is no git repository";
    if (reason !== undefined) {
      process.stdout.write(`    skipped: ${reason}\n`);
      return this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), "skyslot-npm-"));
    copyTree(folder);
  });

  after(() => {
    if (folder !== undefined) rmSync(folder, { recursive: true });
  });

  const npm = (...parameters: readonly string[]): Ended =>
    spawnSync(NODE, [NPM, ...parameters], {
      cwd: folder,
      env: environment(),
      encoding: "utf8",
      timeout: LIMIT_MS,
    });

  it("installs, with no install script left out", () => {
    expect(parseVersion(npm("--version").stdout.trim())?.major).to.equal("12");
    const { status, stdout, stderr } = npm(
      "ci",
      "--strict-allow-scripts",
      "--prefer-offline",
      "--no-audit",
      "--no-fund",
    );
    expect(status, stderr).to.equal(0);
    expect(`${stdout}${stderr}`).not.to.match(/install-scripts|scripts blocked/);
  });

  it("shows a virtual device that updates itself", () => {
    const { status, stdout, stderr } = npm("--silent", "start", "--", "--once", "--json", "--speed", "10");
    expect(status, stderr).to.equal(0);
    const { ok, from, to, slot, bytes } = JSON.parse(stdout) as Record<string, unknown>;
    expect({ ok, from, to, slot }).to.deep.equal({ ok: true, from: "1.0.0", to: "1.1.0", slot: "ota_0" });
    expect(bytes).to.be.above(100_000);
  });
});
