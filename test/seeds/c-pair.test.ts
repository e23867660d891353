// System C, a synchronised pair: what its devices ask of the server.

import { expect } from "chai";
import { requireCurl, Seed } from "./seed.js";

describe("system C, with curl", () => {
  let seed: Seed;
  before(requireCurl);
  beforeEach(async () => {
    seed = await Seed.open();
  });
  afterEach(() => seed.close());

  it("tells a pair in the system manifest what to install and in which order", async () => {
    for (const type of ["receiver", "transmitter"]) {
      await seed.makeLegacy(type);
      await seed.curl(
        ...seed.asAdmin,
        ...["-F", `file=@${seed.image}`, "-F", `device_type=${type}`, "-F", "version=2.0.0"],
        `${seed.server.url}/api/ota/admin/upload`,
      );
    }
    const { body } = await seed.curl(`${seed.server.url}/manifest`);
    expect(body).to.include({ system_version: "2.0.0" });
    expect(body.devices).to.have.all.keys("receiver", "transmitter");
    expect(body.update_instructions).to.deep.include({ order: ["receiver", "transmitter"] });
  });
});
