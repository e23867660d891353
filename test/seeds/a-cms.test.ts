// System A, displays with content from a server, and its apps `base` and `led`: requests as its documents have them, on a server of their own.
// What its devices do themselves is in test/journey (portal, cms, led).

import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { requireCurl, run, Seed } from "./seed.js";

const PAGES = ["/", "/ota-management", "/content-admin", "/upload"];

describe("system A, with curl", () => {
  let seed: Seed;
  before(requireCurl);
  beforeEach(async () => {
    seed = await Seed.open();
  });
  afterEach(() => seed.close());

  const device = { device_id: "cms-1", device_type: "cms", current_version: "1.0.0", current_build: 0 };
  const check = (more: object = {}) => seed.json("/api/ota/check", { ...device, ...more });
  const report = (more: object) => seed.json("/api/ota/status", { device_id: "cms-1", ...more });
  const shown = async () => (await seed.curl(...seed.asAdmin, seed.url("/api/devices/cms-1"))).body;
  const upload = (fields: Readonly<Record<string, string>>) =>
    seed.upload("/api/ota/admin/upload", { device_type: "cms", ...fields });

  it("registers a display, takes its heartbeat and shows it", async () => {
    expect((await seed.json("/api/devices/register", device)).status).to.equal(201);
    expect((await seed.json("/api/devices/cms-1/heartbeat", { rssi: -61 })).status).to.equal(200);
    const { body } = await seed.curl(...seed.asAdmin, `${seed.server.url}/api/devices`);
    expect(body).to.deep.include({ total: 1 });
    expect(await shown()).to.include({
      device_id: "cms-1",
      status: "online",
      current_version: "1.0.0",
      rssi: -61,
    });
  });

  it("registers a device at its first check, and knows when it was seen", async () => {
    const before = Date.now();
    expect((await check()).body.update_available).to.equal(false);
    const { status, last_seen, current_version } = await shown();
    expect([status, current_version]).to.deep.equal(["online", "1.0.0"]);
    expect(Date.parse(last_seen)).to.be.within(before - 1000, Date.now() + 1000);
  });

  it("offers each app its own firmware: cms, base and led", async () => {
    for (const type of ["cms", "base", "led"]) {
      await seed.makeLegacy(type);
      const fields = { device_type: type, version: "1.1.0", build_number: type === "led" ? "3" : "1" };
      expect((await seed.upload("/api/ota/admin/upload", fields)).status, type).to.equal(201);
    }
    for (const type of ["cms", "base", "led"]) {
      const { body } = await check({ device_id: `${type}-9`, device_type: type });
      expect(body, type).to.include({ update_available: true, build_number: type === "led" ? 3 : 1 });
    }
  });

  it("leads an update from the check to the confirmation", async () => {
    await seed.makeLegacy("cms");
    await upload({ version: "1.1.0" });
    const { body: offer } = await check();
    const copy = join(seed.folder, "copy.bin");
    await run("curl", ["-fsS", "-o", copy, seed.url(offer.download_url)]);
    expect(
      createHash("sha256")
        .update(await readFile(copy))
        .digest("hex"),
    ).to.equal(offer.file_hash);
    const { firmware_id } = offer;
    await report({ firmware_id, status: "downloading", bytes_downloaded: 20 });
    const logs = async () =>
      (await seed.curl(...seed.asAdmin, seed.url("/api/ota/admin/logs?device_id=cms-1"))).body.logs;
    expect((await logs())[0]).to.include({ status: "downloading", bytes_downloaded: 20 });
    await report({ firmware_id, status: "installing" });
    await report({ firmware_id, status: "success" });
    expect((await check({ current_version: "1.1.0" })).body.update_available).to.equal(false);
    expect((await logs())[0]).to.include({ status: "success", from_version: "1.0.0" });
    expect(await shown()).to.include({ current_version: "1.1.0" });
  });

  it("offers nothing for other hardware, nothing older, and a failed update again", async () => {
    await seed.makeLegacy("cms");
    const { id } = (await upload({ version: "1.1.0", hardware: "esp32-devkit" })).body;
    expect((await check({ hardware: "esp32-other" })).body.update_available).to.equal(false);
    const fitting = { hardware: "esp32-devkit" };
    expect((await check({ ...fitting, current_version: "1.2.0" })).body.update_available).to.equal(false);
    expect((await check(fitting)).body).to.include({ update_available: true, firmware_id: id });
    const failed = { firmware_id: id, status: "failed", error_message: "Connection lost" };
    expect((await report(failed)).status).to.equal(200);
    expect(await shown(), "it runs what it ran").to.include({ current_version: "1.0.0" });
    expect((await check(fitting)).body).to.include({ update_available: true, firmware_id: id });
  });

  it("has its four pages", async () => {
    for (const page of PAGES) {
      const { stdout } = await run("curl", [
        "-sS",
        "-L",
        "-w",
        "\n%{http_code} %{content_type}",
        seed.url(page),
      ]);
      expect(stdout, page)
        .to.match(/<!doctype html>/i)
        .and.match(/\n200 text\/html/);
    }
  });

  it("gives a display the picture that it is assigned, once", async () => {
    await check();
    const picture = join(seed.folder, "sun.pbm");
    await writeFile(picture, Buffer.concat([Buffer.from("P4\n200 200\n"), Buffer.alloc(5000, 0x5a)]));
    const form = ["-F", "name=Sun", "-F", `file=@${picture}`];
    const { status, body: image } = await seed.curl(
      ...seed.asAdmin,
      ...form,
      seed.url("/api/content-admin/images"),
    );
    expect(status).to.equal(201);
    const target = { kind: "device", name: "cms-1" };
    const assignment = { image_id: image.id, target };
    const made = await seed.json("/api/content-admin/assignments", assignment, ...seed.asAdmin);
    expect(made.status).to.equal(201);
    const fetched = join(seed.folder, "fetched.pbm");
    const url = seed.url("/api/content/cms-1");
    const etag = join(seed.folder, "etag");
    await run("curl", ["-fsS", "--etag-save", etag, "-o", fetched, url]);
    expect((await readFile(fetched)).subarray(-5000).equals(Buffer.alloc(5000, 0x5a))).to.equal(true);
    const again = ["-sS", "--etag-compare", etag, "-o", fetched, "-w", "%{http_code}", url];
    expect((await run("curl", again)).stdout).to.equal("304");
  });

  it("lists the migrations of its tables", async () => {
    const list = await seed.skyslot("server", "migrations", "--data", join(seed.folder, "data"));
    expect(list)
      .to.match(/^0\d+_\w+ +\d{4}-\d{2}-\d{2}/m)
      .and.match(/cannot be undone/);
  });
});
