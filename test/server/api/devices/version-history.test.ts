import { expect } from "chai";
import { START_MS, TestServer } from "../../test-server.js";

const HOUR_MS = 3_600_000;

describe("the fleet as a whole", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const get = async (path: string) => (await server.admin("GET", path)).json();
  const check = (id: string, version: string, type = "base") =>
    server.check({ device_id: id, device_type: type, current_version: version });

  it("is counted by presence and version, and recounted after a moment", async () => {
    await check("base-1", "1.0.0");
    await check("base-2", "1.1.0");
    await check("led-1", "1.1.0", "led");
    expect(await get("/api/fleet")).deep.include({
      total: 3,
      online: 3,
      late: 0,
      offline: 0,
      pending: 0,
      unvouched: 3,
      versions: [
        { device_type: "base", version: "1.0.0", device_count: 1 },
        { device_type: "base", version: "1.1.0", device_count: 1 },
        { device_type: "led", version: "1.1.0", device_count: 1 },
      ],
    });
    server.nowMs += 10 * 60_000;
    await check("base-1", "1.0.0");
    const approval = { device_ids: ["base-2"], action: "approve" };
    await server.admin("POST", "/api/device-identities/change", approval);
    expect(await get("/api/fleet")).deep.include({ online: 1, late: 2, offline: 0, unvouched: 2 });
    const { devices } = await get("/api/devices?status=late&order=id");
    expect(devices.map((device: { device_id: string }) => device.device_id)).deep.equal(["base-2", "led-1"]);
    expect((await server.admin("GET", "/api/devices?status=lost")).statusCode).equal(400);
  });

  it("has an hourly history from the first tick until now", async () => {
    expect((await get("/api/fleet/history")).samples).deep.equal([
      { time: new Date(START_MS).toISOString(), versions: [] },
    ]);
    await check("base-1", "1.0.0");
    await server.app.tick();
    server.nowMs += HOUR_MS / 2;
    await server.app.tick();
    await check("base-1", "1.1.0");
    server.nowMs += HOUR_MS;
    await server.app.tick();
    const { samples } = await get("/api/fleet/history?device_type=base");
    const count = (version: string) => [{ device_type: "base", version, device_count: 1 }];
    expect(samples).deep.equal([
      { time: new Date(START_MS).toISOString(), versions: count("1.0.0") },
      { time: new Date(START_MS + HOUR_MS).toISOString(), versions: count("1.1.0") },
      { time: new Date(START_MS + 1.5 * HOUR_MS).toISOString(), versions: count("1.1.0") },
    ]);
    expect((await get("/api/fleet/history?device_type=led")).samples).deep.equal([
      { time: new Date(server.nowMs).toISOString(), versions: [] },
    ]);
  });
});

describe("the pages", () => {
  it("are the same for each of their paths, and missing for others", async () => {
    const server = await TestServer.open();
    const ask = (url: string) => server.app.inject({ url });
    const page = await ask("/");
    expect(page.headers["content-security-policy"]).include("default-src 'none'");
    for (const path of [
      "/ota-management",
      "/ota-management/rollouts/7",
      "/devices/base-1",
      "/audit",
      "/settings",
    ])
      expect((await ask(path)).body, path).equal(page.body);
    expect((await ask("/nowhere")).statusCode).equal(404);
    await server.close();
  });
});
