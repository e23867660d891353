import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { expect } from "chai";
import { exportStore } from "../../../server/backup/export.js";
import { readLines } from "../../../server/backup/format.js";
import { importStore } from "../../../server/backup/import.js";
import type { BlobStore } from "../../../server/blobs/blobs.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { connectPostgres, openPostgresStore } from "../../../server/store/postgres.js";
import type { SqlDatabase } from "../../../server/store/sql/database.js";
import { connectSqlite, openSqliteStore } from "../../../server/store/sqlite.js";
import type { Store } from "../../../server/store/store.js";
import { BYTES, listed, SHA256, stream } from "../../contract/blobs.js";
import { PAGE, sampleDevice, sampleFirmware } from "../../contract/store/samples.js";
import { type Cluster, postgresOrSkip } from "../../services/postgres.js";

const SKYSLOT = fileURLToPath(new URL("../../../bin/skyslot.js", import.meta.url));
const DEVICE_COUNT = 603;

describe("an export", () => {
  let folder: string;
  let fileCount = 0;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-transfer-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const newFile = () => join(folder, `${++fileCount}.db`);
  const newBlobs = () => openFileBlobs(join(folder, `blobs-${++fileCount}`));

  /** Records in every part, more rows than a page has, ids whose rows are gone. */
  const fill = async (store: Store, blobs: BlobStore) => {
    const blob = await blobs.put(stream(BYTES), 1e6);
    const firmware = await store.addFirmware(
      sampleFirmware({ fileHash: blob.sha256, binaryPath: blob.path, notes: "ü💡\n'\"\\ \u2028" }),
    );
    await store.transaction(async (inside) => {
      for (let n = 0; n < DEVICE_COUNT; n++) {
        const device = sampleDevice({ id: `d-${n}`, uptimeSeconds: n / 3, lastSeen: 1.7e12 + n, mac: null });
        await inside.putDevice(device);
        const { id: deviceId } = device;
        const update = {
          deviceId,
          firmwareId: firmware.id,
          fromVersion: "1.0.0",
          fromBuild: 0,
          createdAt: n,
        };
        if (n % 3 === 0) await inside.addUpdate(update);
        await inside.addEvent({ time: n, kind: "test", message: "x", detail: { n, text: "ü" } });
      }
    });
    await store.pruneEvents({ before: 0, maxCount: 0, limit: 10_000 });
  };
  const write = async (database: SqlDatabase, blobs: BlobStore | undefined): Promise<string> => {
    let text = "";
    await exportStore({ database, blobs, now: () => 0 }, (line) => {
      text += `${JSON.stringify(line)}\n`;
    });
    return text;
  };
  const read = (database: SqlDatabase, blobs: BlobStore, text: string) =>
    importStore({ database, blobs }, readLines(stream(Buffer.from(text), 1000)));
  /** Opens the store, runs the action and closes it. */
  const using = async <Result>(database: SqlDatabase, work: (database: SqlDatabase) => Promise<Result>) => {
    try {
      return await work(database);
    } finally {
      await database.db.destroy();
    }
  };
  /** A filled SQLite database, its blobs and its export. */
  const sample = async () => {
    const [file, blobs] = [newFile(), await newBlobs()];
    const store = await openSqliteStore(file);
    await fill(store, blobs);
    await store.close();
    return { file, blobs, text: await using(connectSqlite(file), (database) => write(database, blobs)) };
  };

  it("transfers everything from SQLite to SQLite", async () => {
    const { text } = await sample();
    const [file, blobs] = [newFile(), await newBlobs()];
    await using(connectSqlite(file), async (database) => {
      const imported = await read(database, blobs, text);
      expect(imported).to.deep.equal({
        // With the firmware, and the row that counts its changes.
        rowCount: DEVICE_COUNT + 2 + DEVICE_COUNT / 3,
        blobCount: 1,
        missing: [],
      });
      expect(await write(database, blobs)).to.equal(text);
    });
    expect((await listed(blobs)).map(({ sha256 }) => sha256)).to.deep.equal([SHA256]);
    const store = await openSqliteStore(file);
    // Ids of deleted rows are not reused.
    expect((await store.addEvent({ time: 1, kind: "next", message: "" })).id).to.equal(DEVICE_COUNT + 1);
    await store.close();
  });

  describe("with PostgreSQL", () => {
    let cluster: Cluster;
    before(async function () {
      cluster = await postgresOrSkip(this);
    });

    it("transfers everything from SQLite to PostgreSQL and back", async () => {
      const { text } = await sample();
      const [url, blobs] = [await cluster.newDatabase(), await newBlobs()];
      const there = await using(await connectPostgres(url), async (database) => {
        await read(database, blobs, text);
        return write(database, blobs);
      });
      expect(there).to.equal(text);
      const store = await openPostgresStore(url);
      expect((await store.listDevices({}, PAGE)).totalCount).to.equal(DEVICE_COUNT);
      await store.close();
      const back = await using(connectSqlite(newFile()), async (database) => {
        const backBlobs = await newBlobs();
        await read(database, backBlobs, there);
        return write(database, backBlobs);
      });
      expect(back).to.equal(text);
      const again = await openPostgresStore(url);
      expect((await again.addEvent({ time: 1, kind: "next", message: "" })).id).to.equal(DEVICE_COUNT + 1);
      await again.close();
    });

    it("is consistent while a server keeps writing", async () => {
      const url = await cluster.newDatabase();
      const store = await openPostgresStore(url);
      await fill(store, await newBlobs());
      const expected = await using(await connectPostgres(url), (database) => write(database, undefined));
      let text = "";
      let lineCount = 0;
      await using(await connectPostgres(url), async (database) => {
        await exportStore({ database, blobs: undefined, now: () => 0 }, async (line) => {
          if (++lineCount === 10) await store.putDevice(sampleDevice({ id: "zz" }));
          text += `${JSON.stringify(line)}\n`;
        });
      });
      await store.close();
      expect(text).to.equal(expected);
    });
  });

  it("is consistent while a server keeps writing", async () => {
    const { file, blobs, text } = await sample();
    const store = await openSqliteStore(file);
    let lineCount = 0;
    let moment = "";
    await using(connectSqlite(file), async (database) => {
      await exportStore({ database, blobs, now: () => 0 }, async (line) => {
        if (++lineCount === 10) await store.putDevice(sampleDevice({ id: "zz" }));
        moment += `${JSON.stringify(line)}\n`;
      });
    });
    expect(await store.countDevices()).to.equal(DEVICE_COUNT + 1);
    await store.close();
    expect(moment).to.equal(text);
  });

  it("of release 0.1.0 is imported and migrated", async () => {
    const old = newFile();
    const released = new Database(old);
    released.exec(await readFile("test/fixtures/store-0001.sql", "utf8"));
    released.close();
    const text = await using(connectSqlite(old), (database) => write(database, undefined));
    expect(text).to.include('"migrations":["0001_first"]');
    const file = newFile();
    await using(connectSqlite(file), async (database) => read(database, await newBlobs(), text));
    const store = await openSqliteStore(file);
    expect(await store.findFirmware(1)).to.include({ version: "1.1.0" });
    expect(await store.findDevice("base-010203")).to.deep.equal(sampleDevice());
    await store.close();
  });

  it("is imported completely or not at all", async () => {
    const { text } = await sample();
    const lines = text.trimEnd().split("\n");
    const device = lines.findIndex((line) => line.includes('"table":"devices"'));
    const blob = lines.findIndex((line) => line.startsWith('{"blob"'));
    const replaced = (at: number, line: string) => lines.with(at, line).join("\n");
    const broken: Record<string, string> = {
      "its last line is missing": lines.slice(0, -1).join("\n"),
      "it had": lines.toSpliced(device + 1, 1).join("\n"),
      "is damaged": replaced(blob, `{"blob":"${SHA256}","data":"AAAA"}`),
      "is cut off in the export": lines.toSpliced(blob + 1, 1).join("\n"),
      "not JSON": replaced(device, '{"table":"dev'),
      "no known form": replaced(device, '{"table":"devices","row":{"id":{}}}'),
      "table drop_me": replaced(device, '{"table":"drop_me","row":{"id":"x"}}'),
      "column drop_me": replaced(device, '{"table":"devices","row":{"id":"x","drop_me":1}}'),
      "no SHA-256": replaced(blob, '{"blob":"../../x","data":"AAAA"}'),
      "no export": lines.slice(1).join("\n"),
      "version 2": replaced(0, '{"skyslot":"export","version":2,"created":"","migrations":[]}'),
      "newer Skyslot": replaced(0, '{"skyslot":"export","version":1,"created":"","migrations":["9999_x"]}'),
    };
    for (const [complaint, damaged] of Object.entries(broken)) {
      const [file, blobs] = [newFile(), await newBlobs()];
      await using(connectSqlite(file), async (database) => {
        const result = await read(database, blobs, damaged).catch((error: Error) => error.message);
        expect(result, complaint).to.be.a("string").that.includes(complaint);
      });
      const store = await openSqliteStore(file);
      expect(await store.countDevices(), complaint).to.equal(0);
      await store.close();
    }
  });

  it("is not imported into a database that has rows already", async () => {
    const { file, blobs, text } = await sample();
    await using(connectSqlite(file), async (database) => {
      const result = await read(database, blobs, text).catch((error: Error) => error.message);
      expect(result).to.be.a("string").that.includes("not empty");
    });
  });

  it("reports files that the store has lost", async () => {
    const { file, blobs } = await sample();
    await blobs.remove(SHA256);
    const text = await using(connectSqlite(file), (database) => write(database, blobs));
    await using(connectSqlite(newFile()), async (database) => {
      expect((await read(database, await newBlobs(), text)).missing).to.deep.equal([SHA256]);
    });
  });

  it("is exported and imported by the command line", async () => {
    const { file, blobs } = await sample();
    const data = join(folder, "data");
    await rm(data, { recursive: true, force: true });
    const run = (...args: string[]) =>
      new Promise<string>((resolve, reject) => {
        const env = { ...process.env, DATABASE_URL: "", BLOB_STORE: "" };
        execFile(process.execPath, [SKYSLOT, ...args], { cwd: folder, env }, (error, out, err) =>
          error ? reject(new Error(err)) : resolve(out + err),
        );
      });
    const out = join(folder, "all.jsonl");
    await writeFile(out, await using(connectSqlite(file), (database) => write(database, blobs)));
    expect(await run("import", out, "--data", data)).to.match(/^806 rows and 1 files imported/);
    expect(await run("export", "--data", data, "--out", join(folder, "again.jsonl"))).to.include(
      "806 rows and 1 files",
    );
    const rest = async (name: string) => (await readFile(join(folder, name), "utf8")).split("\n").slice(1);
    expect(await rest("again.jsonl")).to.deep.equal(await rest("all.jsonl"));
    const missing = await run("export", "--data", join(folder, "nowhere")).catch(
      (error: Error) => error.message,
    );
    expect(missing).to.include("does not exist");
  });
});
