// Transactions that are in each other's way, on a real PostgreSQL.

import { expect } from "chai";
import { openPostgresStore } from "../../../server/store/postgres.js";
import { DatabaseBusy, type Store } from "../../../server/store/store.js";
import { sampleDevice } from "../../contract/store/samples.js";
import { type Cluster, postgresOrSkip } from "../../services/postgres.js";

const DEVICE = sampleDevice().id;

describe("a transaction that others set back", () => {
  let cluster: Cluster;
  let url: string;
  let store: Store;
  before(async function () {
    cluster = await postgresOrSkip(this);
  });
  beforeEach(async () => {
    url = await cluster.newDatabase();
    store = await openPostgresStore(url);
    await store.putDevice(sampleDevice({ bootCount: 0 }));
  });
  afterEach(() => store?.close());

  const count = (inside: Pick<Store, "findDevice" | "putDevice">, by: number) =>
    inside
      .findDevice(DEVICE)
      .then((device) => inside.putDevice(sampleDevice({ bootCount: (device?.bootCount ?? 0) + by })));

  /** Each time it has read the device, `rival` changes it, if it can. */
  async function workAgainst(rival: () => Promise<unknown>, its = store): Promise<number> {
    let runCount = 0;
    await its.transaction(async (inside) => {
      runCount++;
      const device = await inside.findDevice(DEVICE);
      await rival();
      await inside.putDevice(sampleDevice({ bootCount: (device?.bootCount ?? 0) + 1000 }));
    });
    return runCount;
  }

  it("has the floor after some runs, and ends however many others there are", async () => {
    const rivals: Promise<unknown>[] = [];
    const runCount = await workAgainst(async () => {
      const rival = store.transaction((inside) => count(inside, 1));
      rivals.push(rival);
      // One that may begin ends soon; one that waits for the floor does not, and would wait for ever here.
      await Promise.race([
        rival,
        store.findDevice(DEVICE).then(() => new Promise((done) => setTimeout(done, 300))),
      ]);
    });
    await Promise.all(rivals);
    expect(runCount).within(5, 10);
    expect((await store.findDevice(DEVICE))?.bootCount).equal(1000 + rivals.length);
  });

  it("is refused as busy in the end, if those of another server do not let it through", async () => {
    const other = await openPostgresStore(url);
    const impatient = await openPostgresStore(url, { maxRunCount: 8 });
    let rivalCount = 0;
    const error = await workAgainst(async () => {
      rivalCount++;
      await other.transaction((inside) => count(inside, 1));
    }, impatient).catch((thrown: unknown) => thrown);
    expect(error).instanceOf(DatabaseBusy);
    expect(rivalCount).equal(8);
    expect((await store.findDevice(DEVICE))?.bootCount, "nothing of it was kept").equal(rivalCount);
    // Others of this server go on.
    await impatient.transaction((inside) => count(inside, 1));
    await Promise.all([other.close(), impatient.close()]);
  });
});
