import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import { PAGE, sampleDevice, sampleFirmware } from "../../contract/store/samples.js";
import { storeContract } from "../../contract/store.js";
import { openNewSqliteStore } from "../../services/sqlite.js";

describe("the SQLite store", () => {
  const folders: string[] = [];
  const newFile = async () => {
    const folder = await mkdtemp(join(tmpdir(), "skyslot-store-"));
    folders.push(folder);
    return join(folder, "skyslot.db");
  };
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  storeContract(async () => openNewSqliteStore(await newFile()));

  it("keeps everything when it is closed and reopened", async () => {
    const file = await newFile();
    const first = await openSqliteStore(file);
    await first.putDevice(sampleDevice());
    await first.close();
    const second = await openSqliteStore(file);
    expect(await second.findDevice("base-010203")).to.deep.equal(sampleDevice());
    await second.close();
  });

  it("counts and lists in the worker thread what was committed before", async () => {
    const store = await openSqliteStore(await newFile());
    for (let count = 1; count <= 20; count++) {
      const device = sampleDevice({ id: `d${count}`, version: `1.0.${count}` });
      await store.transaction((inside) => inside.putDevice(device));
      const [listed, versions, statuses] = await Promise.all([
        store.listDevices({ version: device.version }, PAGE),
        store.countVersions(),
        store.countStatuses({ now: 1000, usualMs: 1000 }),
      ]);
      expect(listed.rows).to.deep.equal([device]);
      expect(versions).to.have.length(count);
      expect(statuses).to.deep.equal({ online: count, late: 0, offline: 0 });
    }
    await store.close();
  });

  it("shows one process's writes to another that has the same file open", async () => {
    const file = await newFile();
    const [writer, reader] = [await openSqliteStore(file), await openSqliteStore(file)];
    await writer.putDevice(sampleDevice());
    expect(await reader.countDevices()).to.equal(1);
    await Promise.all([writer.close(), reader.close()]);
  });

  it("reads the log of one kind by an index, not all of it", async () => {
    const file = await newFile();
    await (await openSqliteStore(file)).close();
    const database = new Database(file);
    for (const more of ["", "and id < 100"]) {
      const query = `select * from events where kind = 'device.claimed' ${more} order by id desc limit 100`;
      const plan = database.prepare(`explain query plan ${query}`).all() as { detail: string }[];
      expect(plan.map(({ detail }) => detail).join(), more).to.match(
        /^SEARCH events USING INDEX events_kind \(kind=\?/,
      );
    }
    database.close();
  });

  it("opens a file that release 0.1.0 has written", async () => {
    const file = await newFile();
    const released = new Database(file);
    released.exec(await readFile("test/fixtures/store-0001.sql", "utf8"));
    released.close();
    const store = await openSqliteStore(file);
    expect(await store.findDevice("base-010203")).to.deep.equal(sampleDevice());
    expect(await store.findFirmware(1)).to.deep.equal({
      ...sampleFirmware({ md5: null }),
      id: 1,
      updatedAt: 2000,
    });
    expect((await store.listUpdates({}, PAGE)).rows).to.have.length(1);
    expect(await store.listEvents({ limit: 10 })).to.have.length(1);
    // Its ids are continued, not reused.
    expect((await store.addEvent({ time: 2, kind: "test", message: "two" })).id).to.equal(2);
    await store.close();
  });

  it("migrates an empty file once, when several open it at once", async () => {
    const file = await newFile();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openSqliteStore(file)));
    await stores[0]?.putDevice(sampleDevice());
    for (const store of stores) expect(await store.countDevices()).to.equal(1);
    await Promise.all(stores.map((store) => store.close()));
  });

  it("takes turns with another process that writes to the same file", async () => {
    const file = await newFile();
    const stores = [await openSqliteStore(file), await openSqliteStore(file)];
    await stores[0]?.putDevice(sampleDevice({ bootCount: 0 }));
    const increments = stores.flatMap((store) =>
      Array.from({ length: 5 }, () =>
        store.transaction(async (inside) => {
          const device = await inside.findDevice("base-010203");
          await inside.putDevice(sampleDevice({ bootCount: (device?.bootCount ?? 0) + 1 }));
        }),
      ),
    );
    await Promise.all(increments);
    expect((await stores[0]?.findDevice("base-010203"))?.bootCount).to.equal(10);
    await Promise.all(stores.map((store) => store.close()));
  });
});
