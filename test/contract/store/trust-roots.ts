import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";
import { PAGE, sampleDevice } from "./samples.js";

export function trustRootContract(store: () => Store): void {
  it("keeps trust roots by their versions, each once", async () => {
    expect(await store().findNewestRoot()).to.equal(undefined);
    for (const version of [1, 2, 10])
      await store().addRoot({ version, text: `root ${version}`, createdAt: 1000 });
    expect(await store().findRoot(2)).to.deep.equal({ version: 2, text: "root 2", createdAt: 1000 });
    expect(await store().findRoot(3)).to.equal(undefined);
    expect((await store().findNewestRoot())?.version).to.equal(10);
    expect((await store().listRoots()).map(({ version }) => version)).to.deep.equal([10, 2, 1]);
    const again = await store()
      .addRoot({ version: 2, text: "other", createdAt: 2000 })
      .catch((error: Error) => error);
    expect(again).to.include({ name: "AlreadyExists", message: "trust root 2 is here already" });
    expect((await store().findRoot(2))?.text).to.equal("root 2");
  });

  it("finds and counts devices by the trust root that they have", async () => {
    const versions = { a: null, b: 2, c: 1, d: 2, e: null, f: 10 };
    for (const [id, rootVersion] of Object.entries(versions))
      await store().putDevice(sampleDevice({ id, rootVersion }));
    expect(await store().countRootVersions()).to.deep.equal([
      { rootVersion: 1, deviceCount: 1 },
      { rootVersion: 2, deviceCount: 2 },
      { rootVersion: 10, deviceCount: 1 },
      { rootVersion: null, deviceCount: 2 },
    ]);
    const behind = async () =>
      (await store().listDevices({ isRootBehind: true }, PAGE, "id")).rows.map(({ id }) => id);
    expect(await behind()).to.deep.equal([]);
    await store().addRoot({ version: 2, text: "root 2", createdAt: 1000 });
    expect(await behind()).to.deep.equal(["c"]);
    expect(await store().countFrozenDevices()).to.equal(0);
    await store().putDevice(sampleDevice({ id: "b", rootVersion: 2, frozenSince: 900 }));
    expect(await store().countFrozenDevices()).to.equal(1);
    expect((await store().listDevices({ isFrozen: true }, PAGE, "id")).rows).to.deep.equal([
      sampleDevice({ id: "b", rootVersion: 2, frozenSince: 900 }),
    ]);
    await store().addRoot({ version: 10, text: "root 10", createdAt: 1000 });
    expect(await behind()).to.deep.equal(["b", "c", "d"]);
  });

  it("remembers when a statement of freshness was last made for a device of a type", async () => {
    await store().putDevice(sampleDevice());
    const id = "base-010203";
    expect(await store().findStatementTime(id)).to.equal(undefined);
    await store().noteStatement(id, "led", 4000);
    await store().noteStatement("another", "base", 4000);
    expect(await store().findStatementTime(id)).to.equal(undefined);
    await store().noteStatement(id, "base", 5000);
    await store().putDevice(sampleDevice({ version: "1.1.0" }));
    expect(await store().findStatementTime(id)).to.equal(5000);
    expect(await store().findDevice(id)).to.deep.equal(sampleDevice({ version: "1.1.0" }));
  });

  it("forgets what is nothing new for devices when a trust root comes", async () => {
    await store().putDevice(sampleDevice(), "key");
    const update = {
      ...{ deviceId: "base-010203", noOpKey: "key", seenAt: 2000 },
      ...{ freeHeap: null, rssi: null, uptimeSeconds: null, readings: null },
    };
    expect((await store().updateLastSeen([update])).size).to.equal(1);
    await store().addRoot({ version: 1, text: "root 1", createdAt: 1000 });
    expect((await store().updateLastSeen([update])).size).to.equal(0);
  });
}
