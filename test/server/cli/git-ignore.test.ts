import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { missingIgnoreLine } from "../../../server/cli/git-ignore.js";
import { redirectOutput } from "../../../server/cli/output.js";
import { createProgram } from "../../../server/cli/program.js";

describe("a secret in a git work tree", () => {
  let top: string;
  const git = (...args: string[]) => execFileSync("git", args, { cwd: top, stdio: "pipe" });
  beforeEach(async () => {
    top = await realpath(await mkdtemp(join(tmpdir(), "skyslot-git-")));
    git("init", "--quiet");
    await mkdir(join(top, "sub", "data"), { recursive: true });
  });
  afterEach(() => rm(top, { recursive: true, force: true }));

  /** Creates keys. @returns what the command writes to standard error */
  async function initKeys(file: string): Promise<string> {
    const { write } = process.stderr;
    let said = "";
    process.stderr.write = ((text: string) => {
      said += text;
      return true;
    }) as typeof write;
    const putBack = redirectOutput(() => {});
    try {
      await createProgram().parseAsync(["keys", "init", "--out", file], { from: "user" });
    } finally {
      putBack();
      process.stderr.write = write;
    }
    return said;
  }

  it("is warned of, with the line that is missing", async () => {
    const file = join(top, "release.jwk");
    expect(await initKeys(file)).equal(
      `warning: git does not ignore the private key ${file}, so that it could be published with a commit; add this line to ${top}/.gitignore:\n/release.jwk\n`,
    );
  });

  it("is not warned of once a line ignores it", async () => {
    await writeFile(join(top, ".gitignore"), "*.jwk\n");
    expect(await initKeys(join(top, "sub", "release.jwk"))).equal("");
  });

  it("is ignored by that line: in a folder below, a folder itself, a name with the letters of patterns", async () => {
    for (const name of ["sub/release.jwk", "sub/data", "sub/a [b]*.jwk", "sub/#a\\b? "]) {
      const path = join(top, name);
      if (name !== "sub/data") await writeFile(path, "");
      const missing = await missingIgnoreLine(path);
      expect(missing?.file, name).equal(join(top, ".gitignore"));
      await writeFile(join(top, ".gitignore"), `${missing?.line}\n`);
      expect(await missingIgnoreLine(path), name).equal(undefined);
      expect(await missingIgnoreLine(join(top, "sub")), name).not.equal(undefined);
      await rm(join(top, ".gitignore"));
    }
  });

  it("is not asked about outside of a work tree, or without git", async () => {
    await rm(join(top, ".git"), { recursive: true });
    expect(await initKeys(join(top, "release.jwk"))).equal("");
    git("init", "--quiet");
    const { PATH } = process.env;
    process.env.PATH = top;
    try {
      expect(await initKeys(join(top, "other.jwk"))).equal("");
    } finally {
      process.env.PATH = PATH;
    }
  });
});
