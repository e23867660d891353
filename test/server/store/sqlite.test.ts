import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import { sampleDevice, storeContract } from "../../contract/store.js";

describe("the SQLite store", () => {
  const folders: string[] = [];
  const newFile = async () => {
    const folder = await mkdtemp(join(tmpdir(), "skyslot-store-"));
    folders.push(folder);
    return join(folder, "skyslot.db");
  };
  after(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

  storeContract(async () => openSqliteStore(await newFile()));

  it("has everything after it was closed and opened again", async () => {
    const file = await newFile();
    const first = await openSqliteStore(file);
    await first.putDevice(sampleDevice());
    await first.close();
    const second = await openSqliteStore(file);
    expect(await second.findDevice("base-010203")).to.deep.equal(sampleDevice());
    await second.close();
  });

  it("shows one process's writes to another that has the same file open", async () => {
    const file = await newFile();
    const [writer, reader] = [await openSqliteStore(file), await openSqliteStore(file)];
    await writer.putDevice(sampleDevice());
    expect(await reader.countDevices()).to.equal(1);
    await Promise.all([writer.close(), reader.close()]);
  });
});
