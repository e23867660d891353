import { expect } from "chai";
import { fillWithSampleFleet } from "../../../server/demo/sample-fleet.js";
import { PAGE } from "../../contract/store/samples.js";
import { START_MS, TestServer } from "../test-server.js";

describe("the sample fleet", () => {
  const servers: TestServer[] = [];
  after(() => Promise.all(servers.map((server) => server.close())));
  const make = async (seed: string, deviceCount = 12) => {
    const server = await TestServer.open();
    servers.push(server);
    const { store, app } = server;
    await fillWithSampleFleet({ store, blobs: app.context.blobs, endsAt: START_MS, seed, deviceCount });
    const { rows } = await store.listDevices({}, { limit: 500, offset: 0 });
    const devices = [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
    const attempts = (await store.listUpdates({}, { limit: 500, offset: 0 })).rows;
    return { server, devices, attempts };
  };

  it("is a fleet of several versions with rollouts, attempts with every outcome, and weeks of events", async function () {
    this.timeout(120_000);
    const { server, devices, attempts } = await make("skyslot", 80);
    expect(devices).to.have.length(80);
    expect(new Set(devices.map(({ type }) => type))).to.deep.equal(new Set(["base", "led", "cms"]));
    expect(new Set(devices.map(({ type, version }) => `${type} ${version}`)).size).to.be.above(4);
    const online = devices.filter(({ lastSeen }) => START_MS - lastSeen < 5 * 60_000).length;
    expect(online).to.be.within(55, 79);
    for (const status of ["success", "failed"])
      expect(
        attempts.filter((attempt) => attempt.status === status),
        status,
      ).not.to.have.length(0);
    const rollouts = await server.store.listRollouts({}, PAGE);
    expect(rollouts.rows.map(({ state }) => state)).to.include("paused");
    expect(rollouts.totalCount).to.equal(2);
    const [newest] = await server.store.listEvents({ limit: 1 });
    expect(START_MS - (newest?.time ?? 0)).to.be.below(36 * 3_600_000);
    for (const { firstSeen, lastSeen } of devices) expect(firstSeen).to.be.at.most(lastSeen);
    // The routes return it like any other fleet.
    expect((await server.admin("GET", "/api/devices?limit=5")).json().total).to.equal(80);
  });

  it("is the same for the same seed, and another for another", async function () {
    this.timeout(120_000);
    const [first, again, other] = [await make("a"), await make("a"), await make("b")];
    expect(again.devices).to.deep.equal(first.devices);
    expect(again.attempts.length).to.equal(first.attempts.length);
    expect(other.devices.map(({ id }) => id)).not.to.deep.equal(first.devices.map(({ id }) => id));
  });

  it("is written into an empty store only", async () => {
    const server = await TestServer.open();
    servers.push(server);
    await server.check();
    const { store, app } = server;
    const refused = await fillWithSampleFleet({
      store,
      blobs: app.context.blobs,
      endsAt: START_MS,
      seed: "a",
    }).then(
      () => undefined,
      (error: Error) => error,
    );
    expect(refused?.message).to.include("this one has 1 devices and 0 releases");
  });
});
