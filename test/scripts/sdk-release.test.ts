// The release of the Moddable SDK that the firmware is built with, and how another is refused.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";

const SCRIPT = "firmware/platform/sdk-release.sh";
const RELEASE = /^release=(\S+)$/m.exec(readFileSync(SCRIPT, "utf8"))![1]!;

describe("the release of the SDK", () => {
  let sdk: string;
  beforeEach(() => {
    sdk = mkdtempSync(join(tmpdir(), "skyslot-sdk-"));
    mkdirSync(join(sdk, "tools"));
  });
  afterEach(() => rmSync(sdk, { recursive: true, force: true }));

  function saidOf(found: string, env: NodeJS.ProcessEnv = {}): string {
    writeFileSync(join(sdk, "tools/VERSION"), `${found}\n`);
    const { SKYSLOT_SDK: _, ...rest } = process.env;
    return spawnSync("sh", [SCRIPT], { encoding: "utf8", env: { ...rest, MODDABLE: sdk, ...env } }).stdout;
  }

  it("is accepted silently", () => expect(saidOf(RELEASE)).equal(""));

  it("is refused with a sentence when it is another", () => {
    const said = saidOf("10.1.0");
    expect(said).include(RELEASE).and.include("10.1.0").and.include("SKYSLOT_SDK=any");
    expect(saidOf("")).include("none");
  });

  it("may be any with SKYSLOT_SDK=any", () => expect(saidOf("10.1.0", { SKYSLOT_SDK: "any" })).equal(""));

  it("is the one that the README installs", () => {
    const readme = readFileSync("README.md", "utf8");
    expect(readme)
      .include(`setup --release ${RELEASE} `)
      .and.include(`(https://github.com/Moddable-OpenSource/moddable) ${RELEASE}.`);
  });
});
