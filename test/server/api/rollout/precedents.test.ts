import { expect } from "chai";
import { makeRelease, TestServer } from "../../test-server.js";

const DEVICE_COUNT = 40;

describe("a plan of a rollout", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({
      newDeviceRate: undefined,
      addressRate: undefined,
      deviceRate: undefined,
    });
    for (let n = 0; n < DEVICE_COUNT; n++) await server.check({ device_id: `base-${n}` });
    await server.upload(await makeRelease("1.1.0"), { is_stable: "false" });
  });
  afterEach(() => server.close());

  const plan = async (body: object = {}) =>
    (await server.admin("POST", "/api/rollouts/plan?limit=500", { firmware_id: 1, ...body })).json();
  const create = async (body: object = {}, ...orders: readonly string[]) => {
    const made = (await server.admin("POST", "/api/rollouts", { firmware_id: 1, ...body })).json();
    for (const order of orders)
      await server.admin("POST", `/api/rollouts/${made.id}/${order}`, { reason: "it flickers" });
    return made;
  };
  const firstOf = ({ devices }: { devices: { device_id: string; stage: number }[] }) =>
    devices.filter(({ stage }) => stage === 0).map(({ device_id }) => device_id);
  const halves = { stages: [{ percent: 50 }, { percent: 100 }] };

  it("chooses the same devices for the same share, whenever and under whatever name it is asked for", async () => {
    const first = firstOf(await plan({ ...halves, name: "spring" }));
    server.nowMs += 86_400_000;
    const again = await plan({ ...halves, name: "summer", max_concurrent: 3 });
    expect(firstOf(again)).to.deep.equal(first);
    expect(first.length).to.be.within(5, DEVICE_COUNT - 5);
    const { seed } = await create(halves);
    expect(seed).to.equal(again.seed);
    await server.upload(await makeRelease("1.2.0"), { is_stable: "false" });
    expect(firstOf(await plan({ ...halves, firmware_id: 2 }))).not.to.deep.equal(first);
  });

  it("stays with its counts when it is kept as a draft, also after a change", async () => {
    const planned = await plan(halves);
    const counts = (rollout: { stages: { device_count: number | null }[] }) =>
      rollout.stages.map(({ device_count }) => device_count);
    const draft = await create(halves);
    expect(counts(draft)).to.deep.equal(counts(planned));
    const headers = { authorization: `Bearer ${server.token}`, "if-match": "*" };
    const url = `/api/rollouts/${draft.id}`;
    const payload = { stages: [{ percent: 25 }, { percent: 75 }] };
    const changed = (await server.app.inject({ method: "PATCH", url, headers, payload })).json();
    expect(counts(changed)).to.deep.equal(counts(await plan(payload)));
    expect(counts(changed)).not.to.deep.equal(counts(draft));
  });

  it("says that the same release was paused or cancelled before, and why", async () => {
    await create({ name: "spring" }, "start", "pause");
    await create({ name: "summer" }, "start", "cancel");
    await create({ name: "autumn" });
    const { notes } = await plan();
    expect(notes.filter((note: string) => note.startsWith("Rollout"))).to.deep.equal([
      'Rollout 2 "summer" of the same release was cancelled: it flickers.',
      'Rollout 1 "spring" of the same release is paused: it flickers.',
    ]);
    const own = (await server.admin("GET", "/api/rollouts/1/plan")).json();
    expect(own.notes.join()).not.to.contain("Rollout 1 ");
  });

  it("says how many devices have rolled back from it", async () => {
    await create({}, "start");
    for (const id of ["base-1", "base-2"]) {
      await server.check({ device_id: id });
      await server.status({ device_id: id, status: "failed", error_code: "ROLLED_BACK" });
    }
    expect((await plan()).notes).to.include("2 devices have rolled back from it.");
  });

  it("names the rollouts of other releases that are for the same devices, with their number", async () => {
    await server.upload(await makeRelease("1.2.0"), { is_stable: "false" });
    await server.admin("POST", "/api/devices/labels", { devices: ["base-1", "base-2"], tags: ["lab"] });
    await create({ firmware_id: 2, name: "lab", target: { tags: ["lab"] }, priority: 5 }, "start");
    await create({ firmware_id: 2, name: "elsewhere", target: { tags: ["attic"] } }, "start");
    const notes: readonly string[] = (await plan()).notes;
    expect(notes.filter((note) => note.startsWith("Rollout"))).to.deep.equal([
      'Rollout 1 "lab" of base 1.2.0 is running and is for 2 of these devices, with priority 5.',
    ]);
  });
});
