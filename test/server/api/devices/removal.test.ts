import { expect } from "chai";
import { makeRelease, TestServer } from "../../test-server.js";

const ID = "base-010203";

describe("devices that are removed", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const get = async (url: string) => (await server.admin("GET", url)).json();
  const codeOf = async (url: string, method: "GET" | "DELETE" = "GET") => {
    const answer = await server.admin(method, url);
    return [answer.statusCode, answer.json().error];
  };

  it("leave the fleet, and their attempts and timelines can still be looked at", async () => {
    await server.upload(await makeRelease("1.1.0"));
    await server.check();
    await server.status({ status: "downloading", bytes_downloaded: 100 });
    const answer = await server.admin("DELETE", `/api/devices/${ID}`);
    expect(answer.json()).to.deep.equal({ device_id: ID, history: "keep" });
    expect((await get("/api/devices")).total).to.equal(0);
    expect((await get("/api/fleet")).total).to.equal(0);
    expect(await codeOf(`/api/devices/${ID}`)).to.deep.equal([404, "DEVICE_UNKNOWN"]);
    const removed = await get(`/api/removed-devices/${ID}`);
    expect(removed).to.include({ device_type: "base", version: "1.0.0", removed_by: "local administrator" });
    expect(removed.attempts).to.have.length(1);
    expect(removed.attempts[0]).to.include({ status: "failed", error_code: "WITHDRAWN" });
    const { events } = await get(`/api/devices/${ID}/timeline`);
    expect(events.map(({ kind }: { kind: string }) => kind).slice(0, 2)).to.deep.equal([
      "device.removed",
      "update.withdrawn",
    ]);
    expect((await get(`/api/audit?subject=device/${ID}`)).entries[0]).to.include({
      action: "device.removed",
    });
    expect(await codeOf(`/api/devices/${ID}`, "DELETE")).to.deep.equal([404, "DEVICE_UNKNOWN"]);
  });

  it("can be erased, at once or later, down to the line of the audit log", async () => {
    await server.upload(await makeRelease("1.1.0"));
    await server.check();
    await server.admin("DELETE", `/api/devices/${ID}`);
    await server.admin("DELETE", `/api/devices/${ID}?history=erase`);
    await server.check({ device_id: "base-2" });
    await server.admin("DELETE", "/api/devices/base-2?history=erase");
    expect((await get("/api/ota/admin/logs")).total).to.equal(0);
    expect((await get("/api/removed-devices")).total).to.equal(0);
    for (const id of [ID, "base-2"]) {
      expect(await codeOf(`/api/devices/${id}/timeline`)).to.deep.equal([404, "DEVICE_UNKNOWN"]);
      expect((await get(`/api/audit?action=device.erased&subject=device/${id}`)).entries).to.have.length(1);
    }
  });

  it("register like new ones when they check again, with no token, tag or pin of before", async () => {
    const { device_token: token } = (await server.check({ keeps_token: true })).json();
    await server.check({}, token);
    await server.admin("PATCH", `/api/devices/${ID}`, { tags: ["lab"], pin: "1.0.0" });
    expect((await server.check()).statusCode).to.equal(401);
    await server.admin("DELETE", `/api/devices/${ID}`);
    expect((await server.check({}, token)).statusCode).to.equal(200);
    expect(await get(`/api/devices/${ID}`)).to.deep.include({ tags: [], pin: null, uses_token: false });
    expect((await get("/api/removed-devices")).total).to.equal(0);
    expect((await get(`/api/devices/${ID}/timeline`)).events.length).to.be.greaterThan(2);
  });

  it("are no members of a running rollout any more, which ends without them", async () => {
    await server.upload(await makeRelease("1.1.0"), { is_stable: "false" });
    for (const id of ["base-1", "base-2"]) await server.check({ device_id: id });
    const made = await server.admin("POST", "/api/rollouts", {
      firmware_id: 1,
      stages: [{ percent: 100, soak_seconds: 0 }],
      max_concurrent: 1,
    });
    const { id } = made.json();
    await server.admin("POST", `/api/rollouts/${id}/start`, {});
    expect((await server.check({ device_id: "base-1" })).json().update_available).to.equal(true);
    expect((await server.check({ device_id: "base-2" })).json().update_available).to.equal(false);
    await server.admin("DELETE", "/api/devices/base-1");
    expect((await get(`/api/rollouts/${id}`)).tallies[0]).to.include({ given: 0, updating: 0 });
    expect((await server.check({ device_id: "base-2" })).json().update_available).to.equal(true);
  });

  it("are removed many at once, each refused by itself", async () => {
    for (const id of ["base-1", "base-2"]) await server.check({ device_id: id });
    const answer = await server.admin("POST", "/api/devices/bulk", {
      kind: "remove",
      devices: ["base-1", "base-9", "base-2"],
    });
    expect(answer.json()).to.deep.include({ done: 2, next: null });
    expect(answer.json().refused).to.deep.equal([
      {
        device_id: "base-9",
        error: "DEVICE_UNKNOWN",
        message: "device base-9 has never checked for updates here",
      },
    ]);
    const erased = { kind: "erase", devices: ["base-1", "base-2"] };
    expect((await server.admin("POST", "/api/devices/bulk", erased)).json().done).to.equal(2);
    expect((await get("/api/removed-devices")).total).to.equal(0);
  });
});

describe("releases that are deleted for good", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());
  const remove = (id = 1) => server.admin("DELETE", `/api/ota/admin/firmware/${id}?permanently=true`);

  it("are inactive, and nothing runs or needs them: the refusal names all that does", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made);
    await server.check();
    await server.check({ device_id: "base-9", image_sha256: made.imageSha256, current_version: "1.1.0" });
    await server.admin("PATCH", "/api/devices/base-9", { pin: "1.1.0" });
    await server.admin("POST", "/api/rollouts", { firmware_id: 1 });
    const answer = await remove();
    expect([answer.statusCode, answer.json().error]).to.deep.equal([409, "RELEASE_IN_USE"]);
    expect(answer.json().message).to.equal(
      "base 1.1.0 cannot be deleted: it is active, 1 device runs it, 1 device is pinned to it, 1 update is installing it, 1 rollout has not ended",
    );
    expect((await server.admin("GET", "/api/ota/admin/firmware/1")).statusCode).to.equal(200);
  });

  it("go with their ended rollouts and attempts, and leave a line in the audit log", async () => {
    await server.upload(await makeRelease("1.1.0"));
    await server.check();
    await server.status({ status: "failed", error_code: "NO_MEMORY" });
    const { id } = (await server.admin("POST", "/api/rollouts", { firmware_id: 1, name: "spring" })).json();
    await server.admin("POST", `/api/rollouts/${id}/cancel`, {});
    await server.admin("DELETE", "/api/ota/admin/firmware/1");
    const answer = await remove();
    expect([answer.statusCode, answer.json().version]).to.deep.equal([200, "1.1.0"]);
    for (const url of ["/api/ota/admin/firmware/1", `/api/rollouts/${id}`])
      expect((await server.admin("GET", url)).statusCode, url).to.equal(404);
    expect((await server.admin("GET", "/api/ota/admin/logs")).json().total).to.equal(0);
    const [entry] = (await server.admin("GET", "/api/audit?action=firmware.deleted")).json().entries;
    expect(entry).to.deep.include({ subject: "firmware/1", after: null });
    expect(entry.before).to.include({ version: "1.1.0", ended_rollouts: 1 });
    expect((await remove()).statusCode).to.equal(404);
  });

  it("may be uploaded again, under another id", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made);
    await server.admin("DELETE", "/api/ota/admin/firmware/1");
    await remove();
    const again = await server.upload(made);
    expect([again.statusCode, again.json().id]).to.deep.equal([201, 2]);
  });
});
