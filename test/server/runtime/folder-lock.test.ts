import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { lockFolder } from "../../../server/runtime/folder-lock.js";
import { type RunningServer, startServer } from "../../../server/start.js";

describe("a data folder that a server uses", () => {
  let folder: string;
  let data: string;
  let server: RunningServer | undefined;
  let holder: ChildProcess | undefined;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-lock-"));
    data = join(folder, "data");
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    holder?.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  const run = (...args: readonly string[]) =>
    new Promise<{ readonly status: unknown; readonly out: string; readonly err: string }>((resolve) => {
      execFile(process.execPath, ["bin/skyslot.js", ...args, "--data", data], (error, out, err) =>
        resolve({ status: error ? error.code : 0, out, err }),
      );
    });
  const start = async () => {
    server = await startServer({ dataDir: data, port: 0 });
  };
  const refusal = (work: () => unknown) =>
    Promise.resolve()
      .then(work)
      .then(
        () => "no refusal",
        (error: Error) => error.message,
      );

  it("is refused to a second one in one sentence, and to an import", async () => {
    await start();
    expect(await refusal(() => startServer({ dataDir: data, port: 0 }))).match(/^another server/);
    const second = await run("server", "--port", "0");
    expect(second.status).equal(1);
    expect(second.out).equal("");
    expect(second.err).equal(
      `skyslot: another server, or an import, is using the data folder ${data}: stop it, choose another folder with --data, or use PostgreSQL (DATABASE_URL), which several servers may share\n`,
    );
    await writeFile(join(folder, "export"), "");
    expect((await run("import", join(folder, "export"))).err).match(/^skyslot: another server/);
  });

  it("can be read meanwhile: by an export, by a backup, by the list of migrations", async () => {
    await start();
    expect(await run("export", "--out", join(folder, "export"))).include({ status: 0 });
    expect(await run("server", "backup", join(folder, "copy"))).include({ status: 0 });
    expect(await run("server", "migrations")).include({ status: 0 });
    expect(await readdir(join(folder, "copy"))).not.include("skyslot.db.lock");
  });

  it("is free after that server has ended, and after one that could not start", async () => {
    await start();
    await server?.close();
    await start();
    await server?.close();
    await writeFile(join(data, "trusted"), "a file in place of the folder");
    expect(await refusal(start)).not.equal("no refusal");
    await rm(join(data, "trusted"));
    const lock = lockFolder(data);
    expect(await refusal(start)).match(/^another server/);
    lock.release();
    await start();
  });

  it("is free after a server was killed", async () => {
    await start();
    await server?.close();
    server = undefined;
    const code = `import("./server/runtime/folder-lock.ts").then(({ lockFolder }) => {
      globalThis.lock = lockFolder(process.argv[1]);
      process.stdout.write("locked");
      setInterval(() => {}, 1000);
    });`;
    holder = spawn(process.execPath, ["--import", "tsx", "--eval", code, data]);
    await once(holder.stdout as NodeJS.ReadableStream, "data");
    expect(await refusal(start)).match(/^another server/);
    holder.kill("SIGKILL");
    await once(holder, "exit");
    await start();
    await access(join(data, "skyslot.db.lock"));
  });

  it("leaves other folders free", async () => {
    await mkdir(join(folder, "other"));
    const locks = [folder, join(folder, "other")].map((each) => lockFolder(each));
    for (const lock of locks) lock.release();
  });
});
