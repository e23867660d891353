import { expect } from "chai";
import { sampleDevice, sampleFirmware } from "../../../contract/store/samples.js";
import { TestServer } from "../../test-server.js";
import { imageOf, VirtualClient } from "./virtual-fleet.js";

describe("changing a rollout over the API", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
    await server.store.addFirmware(sampleFirmware({ imageSha256: imageOf("1.1.0") }));
    await server.admin("POST", "/api/rollouts", {
      firmware_id: 1,
      name: "spring",
      stages: [{ percent: 10, soak_seconds: 1.001 }, { percent: 100 }],
      gates: { min_samples: 2 },
      target: { tags: ["lab"], from_version: "1.0.0" },
      windows: { time_zone: "UTC", spans: [{ weekdays: [1], from: "01:00", to: "02:00" }] },
      max_concurrent: 4,
    });
  });
  afterEach(() => server.close());

  const patch = (body: object, revision: string | undefined = '"1"', token = server.token) =>
    server.app.inject({
      method: "PATCH",
      url: "/api/rollouts/1",
      payload: body,
      headers: { authorization: `Bearer ${token}`, ...(revision ? { "if-match": revision } : {}) },
    });
  const show = async () => server.admin("GET", "/api/rollouts/1");

  it("merges a change into the rollout, and returns the revision", async () => {
    const before = await show();
    expect(before.headers.etag).to.equal('"1"');
    const answer = await patch({
      name: "summer",
      target: { tags: null, groups: ["berlin"] },
      gates: { min_samples: 9 },
      windows: null,
      max_concurrent: null,
    });
    expect(answer.statusCode, answer.body).to.equal(200);
    expect(answer.headers.etag).to.equal('"2"');
    const { stages, seed } = before.json();
    expect(answer.json()).to.deep.include({
      revision: 2,
      name: "summer",
      target: { groups: ["berlin"], from_version: "1.0.0" },
      gates: { ...before.json().gates, min_samples: 9 },
      windows: null,
      max_concurrent: null,
      edited_by: "local administrator",
      stages,
      seed,
    });
    const { entries } = (await server.admin("GET", "/api/audit?action=rollout.edited")).json();
    expect(entries[0].before).to.deep.include({ name: "spring", max_concurrent: 4, revision: 1 });
    expect(entries[0].after).to.deep.include({ name: "summer", max_concurrent: null, revision: 2 });
    expect(Object.keys(entries[0].after)).not.to.include("stages");
    const { events } = (await server.admin("GET", "/api/events?kind=rollout.edited")).json();
    expect(events[0].message).to.equal(
      'rollout 1 "summer" edited: name, target, gates, windows, concurrency, by local administrator',
    );
  });

  it("requires the revision that was seen, and does not overwrite newer changes", async () => {
    expect((await patch({ priority: 1 }, "")).json()).to.include({ error: "REVISION_MISSING" });
    expect((await patch({ priority: 1 })).statusCode).to.equal(200);
    const late = await patch({ priority: 2 });
    expect(late.statusCode).to.equal(412);
    expect(late.json()).to.deep.equal({
      error: "REVISION_CHANGED",
      message:
        "local administrator has changed rollout 1 meanwhile (priority): it is at revision 2, review it again",
    });
    expect((await patch({ priority: 2 }, 'W/"2"')).statusCode).to.equal(412);
    expect((await patch({ priority: 2 }, '"7", "2"')).json()).to.include({ revision: 3, priority: 2 });
    expect((await patch({ priority: 2 }, "*")).json()).to.include({ revision: 3 });
    const stale = await server.app.inject({
      method: "POST",
      url: "/api/rollouts/1/start",
      headers: { authorization: `Bearer ${server.token}`, "if-match": '"1"' },
    });
    expect(stale.statusCode).to.equal(412);
    expect((await show()).json()).to.include({ state: "draft", priority: 2 });
  });

  it("refuses invalid changes, and those that are unsafe while it runs, and changes nothing then", async () => {
    const cases: readonly (readonly [object, number, RegExp])[] = [
      [{ firmware_id: null }, 400, /firmware_id/],
      [{ firmware_id: 9 }, 404, /firmware 9 does not exist/],
      [{ stages: [{ percent: 101 }] }, 400, /^stages.0.percent: expected number to be less or equal to 100$/],
      [{ stages: [{ percent: 50 }, { percent: 20 }] }, 422, /must exceed the 50 %/],
      [{ windows: { time_zone: null } }, 400, /windows.time_zone/],
      [{ windows: { time_zone: "Mars/Olympus" } }, 422, /not a time zone/],
      [{ start_at: "soon" }, 422, /not a time/],
      [{ target: { hardware: ["olimex"] } }, 422, /is for hardware esp32/],
    ];
    for (const [body, status, message] of cases) {
      const answer = await patch(body);
      expect(answer.statusCode, JSON.stringify(body)).to.equal(status);
      expect(answer.json().message, JSON.stringify(body)).to.match(message);
    }
    await server.admin("POST", "/api/rollouts/1/start");
    const refused = await patch({ seed: "other" });
    expect(refused.statusCode).to.equal(409);
    expect(refused.json()).to.include({ error: "EDIT_UNSAFE" });
    expect((await show()).json()).to.include({ revision: 1, state: "running" });
    const { access } = await server.addUser("vic", "viewer");
    expect((await patch({ priority: 1 }, "*", access)).statusCode).to.equal(403);
  });

  it("plans a change without applying it", async () => {
    await server.store.putDevice(sampleDevice({ id: "d1" }));
    const plan = async (body: object) => (await server.admin("POST", "/api/rollouts/1/plan", body)).json();
    expect(await plan({})).to.include({ device_count: 0 });
    expect(await plan({ target: { tags: null } })).to.include({ device_count: 1 });
    expect((await show()).json()).to.include({ revision: 1 });
    await server.admin("POST", "/api/rollouts/1/start");
    expect(await plan({ target: { tags: null } })).to.include({ error: "EDIT_UNSAFE" });
  });

  it("gives a draft another release, which its devices then install", async () => {
    await server.store.addFirmware(sampleFirmware({ version: "1.2.0", imageSha256: imageOf("1.2.0") }));
    await patch({ firmware_id: 2, target: null, windows: null, stages: null });
    await server.admin("POST", "/api/rollouts/1/start");
    const client = new VirtualClient(server.app, "d1");
    for (let n = 0; n < 4; n++) await client.act();
    expect((await server.admin("GET", "/api/devices/d1")).json()).to.include({ current_version: "1.2.0" });
  });

  it("reaches devices that were not offered it before", async () => {
    await patch({ target: null, windows: null, stages: [{ groups: ["lab"] }] });
    await server.admin("POST", "/api/rollouts/1/start");
    const check = async () => (await server.check({ device_id: "d1" })).json().update_available;
    for (let n = 0; n < 3; n++) expect(await check()).to.equal(false);
    await patch({ stages: [{ groups: ["lab"] }, { percent: 100 }] }, '"2"');
    expect(await check()).to.equal(true);
  });
});
