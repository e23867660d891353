// The build of the command: made by the first start, used by those that follow, made again when a source has changed, and done without
// where it cannot be written.

import { execFileSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

const PARTS = [
  "bin",
  "firmware",
  "host-sim",
  "partitions",
  "release",
  "server",
  "package.json",
  "tsconfig.json",
];

describe("the build of the command", () => {
  let folder: string;
  const inFolder = (path: string) => join(folder, path);
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [inFolder("bin/skyslot.js"), ...args], { encoding: "utf8" });
  const built = () => readdirSync(inFolder("build/command")).sort();
  const list = () =>
    JSON.parse(readFileSync(inFolder("build/command/inputs.json"), "utf8")) as {
      readonly entry: string;
      readonly stamps: Readonly<Record<string, string>>;
    };

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "skyslot-build-"));
    for (const part of PARTS) cpSync(part, inFolder(part), { recursive: true });
    symlinkSync(realpathSync("node_modules"), inFolder("node_modules"));
    // as if it had lain there for a minute: what is written while it is read is read again
    const sources = readdirSync(folder, { recursive: true, encoding: "utf8" });
    const past = Date.now() / 1000 - 60;
    for (const path of sources.filter(
      (each) => /\.(ts|js|json)$/.test(each) && !each.startsWith("node_modules"),
    ))
      utimesSync(inFolder(path), past, past);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const writeLater = (path: string, text: string, seconds: number) => {
    writeFileSync(inFolder(path), text);
    const time = Date.now() / 1000 - seconds;
    utimesSync(inFolder(path), time, time);
  };

  it("is made by the first start and used by the next", () => {
    const first = run("help");
    const files = built();
    const { entry, stamps } = list();
    expect(files).to.include.members([entry, "inputs.json"]);
    expect(Object.keys(stamps)).to.include.members([
      "package.json",
      "server/cli/main.ts",
      "firmware/core/wire.ts",
    ]);
    expect(Object.values(stamps)).not.to.include("changed");
    // Whatever it does now is done by the file that it was built into.
    writeFileSync(inFolder(`build/command/${entry}`), 'console.log("from the build");');
    expect(run("help")).to.equal("from the build\n");
    expect(first).to.contain("Usage: skyslot");
  });

  it("is made again after a source has changed, and only its changed files are new", () => {
    const before = built();
    const program = readFileSync(inFolder("server/cli/program.ts"), "utf8");
    writeLater("server/cli/program.ts", program.replace("Over-the-air updates", "Changed updates"), 30);
    expect(run("help")).to.contain("Changed updates");
    const added = built().filter((name) => !before.includes(name));
    expect(added.length).to.be.within(1, 10);
    const stamp = list().stamps["server/cli/program.ts"];
    run("help");
    expect(list().stamps["server/cli/program.ts"], "not built again").to.equal(stamp);
  });

  it("finds what lies beside its sources", () => {
    writeLater(
      "package.json",
      readFileSync("package.json", "utf8").replace(/"version": "[^"]+"/, '"version": "9.8.7"'),
      20,
    );
    expect(run("--version")).to.equal("9.8.7\n");
  });

  it("is not needed: where it cannot be written, the sources run", () => {
    rmSync(inFolder("build"), { recursive: true });
    writeFileSync(inFolder("build"), "a file where the folder would be");
    expect(run("help")).to.contain("Changed updates");
    expect(existsSync(inFolder("build/command"))).to.equal(false);
  });
});
