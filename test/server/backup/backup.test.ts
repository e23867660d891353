import { execFile } from "node:child_process";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect } from "chai";
import { backUp } from "../../../server/backup/backup.js";
import { type RunningServer, startServer } from "../../../server/start.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import { type MadeRelease, makeRelease } from "../test-server.js";

const SKYSLOT = fileURLToPath(new URL("../../../bin/skyslot.js", import.meta.url));

describe("a backup", () => {
  let folder: string;
  let data: string;
  let copy: string;
  let server: RunningServer;
  let made: MadeRelease;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-backup-"));
    [data, copy] = [join(folder, "data"), join(folder, "copy")];
    server = await startServer({ dataDir: data, port: 0, settings: { deviceRate: undefined } });
    made = await makeRelease("1.1.0");
    await upload(made);
  });
  afterEach(async () => {
    await server.close();
    await rm(folder, { recursive: true, force: true });
  });

  const upload = async ({ image, release }: MadeRelease) => {
    const form = new FormData();
    form.set("release", release);
    form.set("file", new Blob([new Uint8Array(image)]), "base.bin");
    const headers = { authorization: `Bearer ${server.adminToken}` };
    const answer = await fetch(`${server.url}/api/ota/admin/upload`, { method: "POST", body: form, headers });
    expect(answer.status).to.equal(201);
  };
  const check = async (id: string) => {
    const answer = await fetch(`${server.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        device_id: id,
        device_type: "base",
        current_version: "1.0.0",
        current_build: 0,
      }),
    });
    expect(answer.status).to.equal(200);
  };
  const skyslot = (...args: string[]) =>
    new Promise<{ readonly ok: boolean; readonly text: string }>((resolve) => {
      const env = { ...process.env, DATABASE_URL: "", BLOB_STORE: "" };
      execFile(process.execPath, [SKYSLOT, ...args], { env }, (error, out, err) =>
        resolve({ ok: !error, text: out + err }),
      );
    });

  it("is complete and consistent while the server keeps writing", async () => {
    for (let n = 0; n < 20; n++) await check(`before-${n}`);
    let isDone = false;
    let writtenCount = 0;
    const writing = (async () => {
      while (!isDone) await check(`during-${writtenCount++}`);
    })();
    const { ok, text } = await skyslot("server", "backup", copy, "--data", data);
    isDone = true;
    await writing;
    expect(ok, text).to.equal(true);
    expect(writtenCount).to.be.above(0);
    const database = new Database(join(copy, "skyslot.db"), { readonly: true });
    expect(database.pragma("integrity_check")).to.deep.equal([{ integrity_check: "ok" }]);
    expect(database.pragma("foreign_key_check")).to.deep.equal([]);
    database.close();
    const store = await openSqliteStore(join(copy, "skyslot.db"));
    for (let n = 0; n < 20; n++) expect(await store.findDevice(`before-${n}`)).to.not.equal(undefined);
    // Whatever else it has is complete: each device with its line in the log.
    const registered = await store.listEvents({ kind: "device.registered", limit: 100_000 });
    expect(registered).to.have.length(await store.countDevices());
    await store.close();
  });

  it("is a data folder that a server starts from, with its keys and its firmware", async () => {
    await backUp(data, copy);
    expect((await stat(copy)).mode & 0o777).to.equal(0o700);
    expect((await stat(join(copy, "admin.token"))).mode & 0o777).to.equal(0o600);
    const { url } = server;
    const { adminToken } = server;
    await server.close();
    server = await startServer({ dataDir: copy, port: 0 });
    expect(server.url).not.to.equal(url);
    expect(server.adminToken).to.equal(adminToken);
    const answer = await fetch(`${server.url}/api/ota/download/1`);
    expect(Buffer.from(await answer.arrayBuffer())).to.deep.equal(made.image);
  });

  it("is updated by the next one, which copies only what is new", async () => {
    const first = await backUp(data, copy);
    expect(first.copiedCount).to.be.above(2);
    await check("later");
    await upload(await makeRelease("1.2.0"));
    const { copiedCount } = await backUp(data, copy);
    expect(copiedCount).to.equal(2);
    const store = await openSqliteStore(join(copy, "skyslot.db"));
    expect(await store.findDevice("later")).to.not.equal(undefined);
    await store.close();
    expect((await readdir(copy, { recursive: true })).filter((name) => name.endsWith(".new"))).to.deep.equal(
      [],
    );
  });

  it("is not written into the data folder itself, nor made from an empty one", async () => {
    const refused = async (from: string, to: string) =>
      backUp(from, to).catch((error: Error) => error.message);
    expect(await refused(data, join(data, "copy"))).to.include("data folder");
    expect(await refused(data, data)).to.include("data folder");
    expect(await refused(join(folder, "nowhere"), copy)).to.include("ENOENT");
    expect(await readdir(folder)).to.deep.equal(["data"]);
  });
});
