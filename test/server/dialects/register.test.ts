import { expect } from "chai";
import { TestServer } from "../test-server.js";

describe("registration and heartbeat", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());
  const post = (url: string, payload: object) =>
    server.app.inject({ method: "POST", url: `/api/devices${url}`, payload });
  const device = { device_id: "cms-1", device_type: "cms", current_version: "1.0.0", current_build: 0 };

  it("make a device known before it checks for updates", async () => {
    expect((await post("/register", device)).statusCode).to.equal(201);
    const again = await post("/register", { ...device, current_version: "1.0.1" });
    expect(again.statusCode).to.equal(200);
    expect(again.json()).to.include({
      device_id: "cms-1",
      current_version: "1.0.1",
      time: server.nowMs / 1000,
    });
    expect((await server.admin("GET", "/api/ota/admin/logs")).json().total, "no attempt is opened").to.equal(
      0,
    );
  });

  it("show that it is online, and its health", async () => {
    await post("/register", device);
    server.nowMs += 60_000;
    const answer = await post("/cms-1/heartbeat", { free_heap: 91_000, rssi: -60 });
    expect(answer.json()).to.deep.equal({ time: server.nowMs / 1000 });
    const [shown] = (await server.admin("GET", "/api/devices")).json().devices;
    expect(shown).to.include({ free_heap: 91_000, rssi: -60, current_version: "1.0.0" });
    expect(Date.parse(shown.last_seen)).to.equal(server.nowMs);
  });

  it("are refused for a device that never registered, and with values out of range", async () => {
    expect((await post("/cms-2/heartbeat", {})).json().error).to.equal("DEVICE_UNKNOWN");
    await post("/register", device);
    expect((await post("/cms-1/heartbeat", { rssi: 900 })).statusCode).to.equal(400);
  });
});
