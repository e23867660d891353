import { expect } from "chai";
import { sampleDevice } from "../../contract/store/samples.js";
import { TestServer } from "../test-server.js";

/** More than one part. */
const DEVICE_COUNT = 510;
const FREE = { newDeviceRate: undefined, addressRate: undefined, deviceRate: undefined };

describe("changes of many devices that the server carries out", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open(FREE);
  });
  afterEach(() => server.close());

  const idOf = (n: number) => `base-${`${n}`.padStart(4, "0")}`;
  /** As if each had checked once. */
  const addDevices = (count: number): Promise<void> =>
    server.store.transaction(async (store) => {
      for (let n = 0; n < count; n++) await store.putDevice(sampleDevice({ id: idOf(n) }));
    });
  const post = (body: object, token = server.token) => server.as(token, "POST", "/api/bulk-jobs", body);
  const get = async (id: number) => (await server.admin("GET", `/api/bulk-jobs/${id}`)).json();
  const tagged = async (tag: string) =>
    (await server.admin("GET", `/api/devices?tag=${tag}&limit=1`)).json().total;
  /** Until nothing waits. */
  const settle = () => server.app.context.bulkJobs.wake();
  const tag = (name: string) => ({ kind: "labels", labels: { add_tags: [name] } });

  it("go through all that match a filter, part by part, after the answer", async () => {
    await addDevices(DEVICE_COUNT);
    const answer = await post({ ...tag("lab"), filter: { type: "base" } });
    expect(answer.statusCode, answer.body).to.equal(201);
    expect(answer.json()).to.include({ state: "running", total: DEVICE_COUNT, done: 0, kind: "labels" });
    await settle();
    const job = await get(answer.json().id);
    expect(job).to.include({
      state: "done",
      done: DEVICE_COUNT,
      refused: 0,
      created_by: "local administrator",
    });
    expect(job.ended_at).not.to.equal(null);
    expect(await tagged("lab")).to.equal(DEVICE_COUNT);
    const labelled = await server.admin("GET", `/api/audit?subject=device/${idOf(DEVICE_COUNT - 1)}`);
    expect(labelled.json().entries[0]).to.include({
      action: "device.labelled",
      actor: "local administrator",
    });
    const [started] = (await server.admin("GET", "/api/audit?action=bulk.started")).json().entries;
    expect(started.after).to.deep.include({
      kind: "labels",
      device_count: DEVICE_COUNT,
      filter: { type: "base" },
    });
  });

  it("go through listed devices, each once, and say which were refused and why", async () => {
    await addDevices(2);
    const { id } = (await post({ ...tag("lab"), devices: [idOf(1), "base-x", idOf(0)] })).json();
    await settle();
    expect(await get(id)).to.deep.include({
      ...{ state: "done", total: 3, done: 2, refused: 1 },
      refusals: [
        {
          ...{ error: "DEVICE_UNKNOWN", count: 1, device_id: "base-x" },
          message: "device base-x has never checked for updates here",
        },
      ],
    });
  });

  it("end when they are cancelled, and leave changed what was changed", async () => {
    await addDevices(DEVICE_COUNT);
    const { id } = (await post({ ...tag("lab"), filter: {} })).json();
    const cancelled = await server.admin("POST", `/api/bulk-jobs/${id}/cancel`);
    expect(cancelled.json().state).to.equal("cancelled");
    await settle();
    const job = await get(id);
    expect(job.state).to.equal("cancelled");
    expect(job.done).to.be.below(DEVICE_COUNT);
    expect(await tagged("lab")).to.equal(job.done);
    expect((await server.admin("POST", `/api/bulk-jobs/${id}/cancel`)).json()).to.deep.equal(job);
  });

  it("go on where another server, or this one before it was stopped, has left them", async () => {
    await addDevices(10);
    const { id } = (await post({ ...tag("lab"), filter: {} })).json();
    await settle();
    const job = await server.store.findBulkJob(id);
    if (!job) throw new Error("there is no job");
    await server.store.putBulkJob({
      ...{ ...job, id: job.id, state: "running", endedAt: null },
      ...{ change: { kind: "labels", labels: { add_tags: ["again"] } }, afterId: idOf(5), doneCount: 6 },
    });
    await server.app.tick();
    await settle();
    expect(await tagged("again")).to.equal(4);
    expect(await get(id)).to.include({ state: "done", done: 10 });
  });

  it("fail once whoever ordered them may not change devices any more", async () => {
    await addDevices(3);
    const { access } = await server.addUser("olga", "operator");
    await server.addUser("ada", "admin");
    const { id } = (await post({ ...tag("lab"), filter: {} }, access)).json();
    await settle();
    const job = await server.store.findBulkJob(id);
    if (!job) throw new Error("there is no job");
    await server.admin("PATCH", "/api/users/olga", { role: "viewer" });
    await server.store.putBulkJob({ ...job, state: "running", afterId: null });
    await settle();
    expect(await get(id)).to.include({ state: "failed", reason: "olga may not change devices any more" });
  });

  it("are refused where they say too little or too much, and to who may not change devices", async () => {
    const codeOf = async (body: object, token?: string) => (await post(body, token)).json().error;
    expect(await codeOf(tag("lab"))).to.equal("DEVICES_MISSING");
    expect(await codeOf({ ...tag("lab"), filter: {}, devices: ["base-1"] })).to.equal("DEVICES_MISSING");
    expect(await codeOf({ kind: "labels", filter: {} })).to.equal("LABELS_MISSING");
    expect(await codeOf({ kind: "settings", filter: {} })).to.equal("SETTINGS_MISSING");
    const { access } = await server.addUser("viv", "viewer");
    expect(await codeOf({ ...tag("lab"), filter: {} }, access)).to.equal("FORBIDDEN");
    expect((await server.admin("GET", "/api/bulk-jobs/9")).json().error).to.equal("BULK_JOB_UNKNOWN");
    expect((await server.admin("GET", "/api/bulk-jobs")).json().total).to.equal(0);
  });
});
