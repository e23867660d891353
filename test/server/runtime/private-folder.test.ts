// Folders with secrets that other users of the machine could enter: data folders, backups, targets of an import.

import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { backUp } from "../../../server/backup/backup.js";
import { openPrivateFolder } from "../../../server/runtime/private-folder.js";
import { startServer } from "../../../server/start.js";

/** In a process of its own, which the mask of its files belongs to. */
const run = (...args: readonly string[]) =>
  new Promise<{ readonly status: unknown; readonly err: string }>((resolve) => {
    execFile(process.execPath, ["bin/skyslot.js", ...args], (error, _out, err) =>
      resolve({ status: error ? error.code : 0, err }),
    );
  });

describe("a folder with secrets", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-private-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const made = async (mode: number, name = "data") => {
    const path = join(folder, name);
    await mkdir(path);
    await chmod(path, mode);
    return path;
  };
  const refusal = (path: string) =>
    openPrivateFolder(path).then(
      () => "",
      (error: Error) => error.message,
    );

  it("is made for its owner alone, with the folders above it", async () => {
    const path = join(folder, "a", "b");
    await openPrivateFolder(path);
    for (const one of [path, join(folder, "a")]) expect((await stat(one)).mode & 0o777, one).to.equal(0o700);
  });

  it("is refused if anybody else can enter it, read it or write to it", async () => {
    for (const mode of [0o755, 0o750, 0o711, 0o701, 0o770, 0o722, 0o777]) {
      const path = await made(mode, mode.toString(8));
      expect(await refusal(path), mode.toString(8)).to.include(`mode ${mode.toString(8)}`);
    }
    for (const mode of [0o700, 0o500]) expect(await refusal(await made(mode, mode.toString(8)))).to.equal("");
  });

  it("is refused with the command that closes it, also behind a link and with an unusual name", async () => {
    const path = await made(0o755, "it's data");
    expect(await refusal(path)).to.include(`chmod -R go= '${folder}/it'\\''s data'`);
    await symlink(path, join(folder, "link"));
    expect(await refusal(join(folder, "link"))).to.include("chmod -R go=");
    await chmod(path, 0o700);
    expect(await refusal(join(folder, "link"))).to.equal("");
  });

  it("is checked by the server, before anything is in it, and by a backup", async () => {
    const data = await made(0o755);
    const error = await startServer({ dataDir: data, port: 0 }).catch((thrown: Error) => thrown);
    expect(error).to.be.instanceOf(Error).with.property("message").that.includes("chmod -R go=");
    expect(await readdir(data)).to.deep.equal([]);
    await chmod(data, 0o700);
    const server = await startServer({ dataDir: data, port: 0 });
    const open = await made(0o755, "backup");
    expect(await backUp(data, open).catch((thrown: Error) => thrown.message)).to.include("chmod -R go=");
    expect(await readdir(open)).to.deep.equal([]);
    await server.close();
  });

  it("is checked by the commands, whose files nobody else can read", async () => {
    const data = await made(0o755);
    await writeFile(join(folder, "export"), "");
    for (const command of [
      ["import", "--data", data, join(folder, "export")],
      ["server", "--port", "0", "--data", data],
    ]) {
      const { status, err } = await run(...command);
      expect(status, command[0]).to.equal(1);
      expect(err, command[0]).to.include("chmod -R go=");
    }
    await chmod(data, 0o700);
    const server = await startServer({ dataDir: data, port: 0 });
    await writeFile(join(data, "readable"), "", { mode: 0o644 });
    const { status, err } = await run("server", "backup", join(folder, "copy"), "--data", data);
    await server.close();
    expect(status, err).to.equal(0);
    const names = await readdir(join(folder, "copy"), { recursive: true });
    expect(names).to.include("skyslot.db");
    for (const name of names) expect((await stat(join(folder, "copy", name))).mode & 0o077, name).to.equal(0);
  });
});
