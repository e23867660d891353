// System C, a synchronised pair: what its devices ask of the server.

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { requireCurl, run, Seed } from "./seed.js";

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

  it("has every field of the manifest, with URLs that curl downloads as they are", async () => {
    for (const type of ["receiver", "transmitter"]) {
      await seed.makeLegacy(type);
      for (const version of ["1.9.0", "2.1.0"])
        await seed.upload("/api/ota/admin/upload", {
          device_type: type,
          version,
          release_notes: "Better range",
          min_current_version: "1.0.0",
        });
    }
    const { body } = await seed.curl(seed.url("/manifest"));
    expect(body).to.include({
      system_version: "2.1.0",
      min_compatible_version: "1.0.0",
      description: "Better range",
    });
    expect(body.release_date).to.match(/^\d{4}-\d{2}-\d{2}T/);
    const { size } = await stat(seed.image);
    for (const type of ["receiver", "transmitter"]) {
      const device = body.devices[type];
      expect(device).to.include({
        device_type: type,
        version: "2.1.0",
        version_number: 20100,
        hardware: "esp32",
        firmware_size: size,
        protocol_version: null,
      });
      expect(device.md5_checksum).to.match(/^[0-9a-f]{32}$/);
      for (const url of [device.firmware_url, body.rollback[`${type}_url`]]) {
        expect(url).to.match(/^http:\/\/127\.0\.0\.1:\d+\//);
        const file = join(seed.folder, "downloaded.bin");
        await run("curl", ["-fsS", "-o", file, url]);
        const hash = createHash("sha256")
          .update(await readFile(file))
          .digest("hex");
        expect(hash).to.equal(device.checksum);
      }
    }
    expect(body.update_instructions).to.deep.equal({
      order: ["receiver", "transmitter"],
      reboot_delay_seconds: 5,
      health_check_timeout_seconds: 30,
    });
    expect(body.rollback).to.include({ previous_version: "1.9.0" });
  });

  it("sends an image by device and version, and the latest", async () => {
    await seed.makeLegacy("receiver");
    await seed.upload("/api/ota/admin/upload", { device_type: "receiver", version: "2.1.0" });
    const image = await readFile(seed.image);
    for (const version of ["2.1.0", "v2.1.0", "latest"]) {
      const file = join(seed.folder, "by-name.bin");
      await run("curl", ["-fsS", "-o", file, seed.url(`/firmware/receiver/${version}`)]);
      expect(await readFile(file), version).to.deep.equal(image);
    }
    expect((await seed.curl(seed.url("/firmware/receiver/9.9.9"))).status).to.equal(404);
  });
});
