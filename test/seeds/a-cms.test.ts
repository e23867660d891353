// System A, panels with content from a server: requests as its documents have them.

import { expect } from "chai";
import { requireCurl, Seed } from "./seed.js";

describe("system A, with curl", () => {
  let seed: Seed;
  before(requireCurl);
  beforeEach(async () => {
    seed = await Seed.open();
  });
  afterEach(() => seed.close());

  it("registers a display, takes its heartbeat and shows it", async () => {
    const device = { device_id: "cms-1", device_type: "cms", current_version: "1.0.0", current_build: 0 };
    expect((await seed.json("/api/devices/register", device)).status).to.equal(201);
    expect((await seed.json("/api/devices/cms-1/heartbeat", { rssi: -61 })).status).to.equal(200);
    const { body } = await seed.curl(...seed.asAdmin, `${seed.server.url}/api/devices`);
    expect(body).to.deep.include({ total: 1 });
  });
});
