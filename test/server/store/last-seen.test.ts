// When devices were last seen by no-op checks on SQLite: appended to a table and applied to the devices' rows later.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { sql } from "kysely";
import { connectSqlite, openSqliteStore } from "../../../server/store/sqlite.js";
import { sampleDevice } from "../../contract/store/samples.js";

describe("updates of when devices were last seen", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-last-seen-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  it("are kept when a server is killed", async () => {
    const file = join(folder, "killed.db");
    const store = await openSqliteStore(file);
    await store.putDevice(sampleDevice(), "key");
    const update = {
      deviceId: "base-010203",
      noOpKey: "key",
      freeHeap: 7,
      rssi: null,
      uptimeSeconds: 0.5,
      readings: { temperature_c: -1.5, battery_percent: 0 },
    };
    await store.updateLastSeen([{ ...update, seenAt: 5000 }]);
    await store.updateLastSeen([{ ...update, seenAt: 6000 }]);
    // Another process that opens the file meanwhile finds what a kill would have left.
    const again = await openSqliteStore(file);
    expect(await again.findDevice("base-010203")).to.deep.include({
      lastSeen: 6000,
      freeHeap: 7,
      rssi: null,
      readings: update.readings,
    });
    await again.close();
    await store.close();
  });

  it("are applied when many are pending", async () => {
    const file = join(folder, "bound.db");
    const store = await openSqliteStore(file, { maxPendingCount: 1500 });
    const ids = Array.from({ length: 2000 }, (_, at) => `base-${at}`);
    await store.transaction(async (inside) => {
      for (const id of ids) {
        await inside.putDevice(sampleDevice({ id }), "key");
      }
    });
    for (let at = 0; at < ids.length; at += 500) {
      const seen = ids.slice(at, at + 500).map((deviceId) => ({
        deviceId,
        noOpKey: "key",
        seenAt: 9000,
        freeHeap: null,
        rssi: null,
        uptimeSeconds: null,
        readings: null,
      }));
      expect(await store.updateLastSeen(seen)).to.have.property("size", 500);
    }
    // What a second connection sees without applying anything.
    const beside = connectSqlite(file);
    const countPending = async () => {
      const query = sql<{ count: number }>`select count(*) as count from device_sightings`;
      return (await query.execute(beside.db)).rows[0]?.count ?? 0;
    };
    for (let turn = 0; turn < 1000 && (await countPending()) >= 1500; turn += 1) await sleep(5);
    expect(await countPending()).to.be.below(1500);
    await beside.db.destroy();
    expect(await store.countDevicesSeenSince(9000)).to.equal(2000);
    await store.close();
  });
});
