import { expect } from "chai";
import { Client } from "pg";
import { openPostgresStore } from "../../../server/store/postgres.js";
import { sampleDevice } from "../../contract/store/samples.js";
import { storeContract } from "../../contract/store.js";
import { type Cluster, postgresOrSkip } from "../../services/postgres.js";

describe("the PostgreSQL store", () => {
  let cluster: Cluster;
  before(async function () {
    cluster = await postgresOrSkip(this);
  });

  storeContract(async () => openPostgresStore(await cluster.newDatabase()));

  it("keeps everything when it is closed and reopened", async () => {
    const url = await cluster.newDatabase();
    const first = await openPostgresStore(url);
    await first.putDevice(sampleDevice());
    await first.close();
    const second = await openPostgresStore(url);
    expect(await second.findDevice("base-010203")).to.deep.equal(sampleDevice());
    await second.close();
  });

  it("reads the log of one kind by an index, not all of it", async () => {
    const url = await cluster.newDatabase();
    await (await openPostgresStore(url)).close();
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(
      "insert into events (time, kind, message) select n, 'update.offered', 'n' from generate_series(1, 20000) as n",
    );
    await client.query("analyze events");
    for (const more of ["", "and id < 19000"]) {
      const query = `select * from events where kind = 'device.claimed' ${more} order by id desc limit 100`;
      const { rows } = await client.query(`explain ${query}`);
      const plan = rows.map((row) => row["QUERY PLAN"]).join("\n");
      expect(plan, more).to.contain("events_kind").and.not.to.contain("Seq Scan");
    }
    await client.end();
  });

  it("migrates an empty database once, when several servers start at once", async () => {
    const url = await cluster.newDatabase();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgresStore(url)));
    await stores[0]?.putDevice(sampleDevice());
    for (const store of stores) expect(await store.countDevices()).to.equal(1);
    await Promise.all(stores.map((store) => store.close()));
  });

  it("reports that the database does not answer, without the password", async () => {
    const error = await openPostgresStore("postgres://skyslot:secret@127.0.0.1:1/x").catch(
      (thrown: Error) => thrown,
    );
    expect(error).to.be.instanceOf(Error);
    expect(String(error)).to.include("does not answer").and.not.include("secret");
  });

  it("isolates the transactions of several servers", async () => {
    const url = await cluster.newDatabase();
    const stores = await Promise.all(Array.from({ length: 3 }, () => openPostgresStore(url)));
    await stores[0]?.putDevice(sampleDevice({ bootCount: 0 }));
    const increments = stores.flatMap((store) =>
      Array.from({ length: 10 }, () =>
        store.transaction(
          async (inside) => {
            const device = await inside.findDevice("base-010203");
            await inside.putDevice(sampleDevice({ bootCount: (device?.bootCount ?? 0) + 1 }));
          },
          { about: "device:base-010203" },
        ),
      ),
    );
    await Promise.all(increments);
    expect((await stores[0]?.findDevice("base-010203"))?.bootCount).to.equal(30);
    await Promise.all(stores.map((store) => store.close()));
  });
});
