import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { openFileBlobs } from "../../server/blobs/files.js";
import { openSqliteStore } from "../../server/store/sqlite.js";
import type { Store } from "../../server/store/store.js";
import { keepUp, startUpkeep } from "../../server/upkeep.js";
import { BYTES, listed, stream } from "../contract/blobs.js";
import { sampleFirmware } from "../contract/store/samples.js";

const DAY_MS = 24 * 60 * 60_000;
const RETENTION = { eventMaxAgeMs: 10 * DAY_MS, eventMaxCount: 5, attemptMaxAgeMs: DAY_MS };

describe("the upkeep", () => {
  let folder: string;
  let store: Store;
  const openBlobs = () => openFileBlobs(join(folder, "blobs"));
  /** As if it had been put there two days ago. */
  const age = (path: string) =>
    utimes(join(folder, "blobs", path), new Date(Date.now() - 2 * DAY_MS), new Date(Date.now() - 2 * DAY_MS));
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-upkeep-"));
    store = await openSqliteStore(join(folder, "skyslot.db"));
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const keep = async (now: number) =>
    keepUp({ store, blobs: await openBlobs(), retention: RETENTION, now: () => now });

  it("removes log lines by age and by count", async () => {
    for (let n = 0; n < 8; n++) await store.addEvent({ time: n * DAY_MS, kind: "test", message: `${n}` });
    const left = async () => (await store.listEvents({ limit: 20 })).map(({ message }) => message);
    await keep(10 * DAY_MS);
    expect(await left()).to.deep.equal(["7", "6", "5", "4", "3"]);
    await keep(16 * DAY_MS);
    expect(await left()).to.deep.equal(["7", "6"]);
  });

  it("removes old files that no record refers to, and no others", async () => {
    const blobs = await openBlobs();
    const put = async (from: number) => blobs.put(stream(BYTES.subarray(from)), 1e6);
    const [used, unused, young] = [await put(0), await put(1), await put(2)];
    await store.addFirmware(sampleFirmware({ fileHash: used.sha256, binaryPath: used.path }));
    await Promise.all([used, unused].map(({ path }) => age(path)));
    await writeFile(join(folder, "blobs", "tmp", "dead"), "x");
    await age("tmp/dead");
    await keep(0);
    expect((await listed(blobs)).map(({ sha256 }) => sha256)).to.have.members([used.sha256, young.sha256]);
    expect(await blobs.stat(unused.sha256)).to.equal(undefined);
  });

  it("begins when the server does, and ends with it", async () => {
    for (let n = 0; n < 1200; n++) await store.addEvent({ time: 0, kind: "test", message: `${n}` });
    const troubles: unknown[] = [];
    const options = { store, blobs: await openBlobs(), retention: RETENTION, now: () => 100 * DAY_MS };
    const end = startUpkeep({ ...options, onTrouble: (error) => troubles.push(error) });
    while ((await store.listEvents({ limit: 1 })).length > 0) await new Promise(setImmediate);
    await end();
    expect(troubles).to.deep.equal([]);
  });
});
