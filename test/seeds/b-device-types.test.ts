// System B, an update server for device types: requests and commands as its documents have them, with other hosts, tokens and ids.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "chai";
import { requireCurl, run, Seed } from "./seed.js";

const TYPE = "scales_bridge_tab5";

describe("system B, with curl and its command line", () => {
  let seed: Seed;
  before(requireCurl);
  beforeEach(async () => {
    seed = await Seed.open();
  });
  afterEach(() => seed.close());

  const upload = (fields: Readonly<Record<string, string>>) =>
    seed.upload("/api/ota/admin/upload", { device_type: TYPE, ...fields });
  /** As the documents have it: an integer names the device. */
  const check = (more: object = {}) =>
    seed.json("/api/ota/check", { device_id: 123, device_type: TYPE, current_version: "1.1.0", ...more });
  const report = (more: object) => seed.json("/api/ota/status", { device_id: 123, ...more });
  const logs = async (query: string) =>
    (await seed.curl(...seed.asAdmin, seed.url(`/api/ota/admin/logs${query}`))).body;

  it("uploads firmware, and a device finds, downloads, installs and reports it", async () => {
    await seed.makeLegacy(TYPE);
    const uploaded = await upload({
      version: "1.2.0",
      build_number: "7",
      is_stable: "true",
      min_current_version: "1.0.0",
    });
    expect(uploaded.status).to.equal(201);
    const { id } = uploaded.body;
    const { body: offer } = await check({ current_build: 3 });
    expect(offer).to.include({
      update_available: true,
      version: "1.2.0",
      download_url: `/api/ota/download/${id}`,
    });
    const copy = join(seed.folder, "copy.bin");
    await run("curl", ["-sS", "-o", copy, seed.url(offer.download_url)]);
    expect((await readFile(copy)).equals(await readFile(seed.image))).to.equal(true);
    for (const status of ["downloading", "installing", "success"])
      expect((await report({ firmware_id: id, status })).status, status).to.equal(200);
    expect((await check({ current_version: "1.2.0", current_build: 7 })).body.update_available).to.equal(
      false,
    );
    expect((await logs("?device_id=123&status=success")).total).to.equal(1);
  });

  it("takes a number for a device's id, and no build for build 0", async () => {
    await seed.makeLegacy(TYPE);
    const { id } = (await upload({ version: "1.2.0" })).body;
    for (const device_id of [1, "1"]) {
      const { status, body } = await check({ device_id });
      expect([status, body.update_available], typeof device_id).to.deep.equal([200, true]);
    }
    expect((await report({ device_id: 1, firmware_id: id, status: "downloading" })).status).to.equal(200);
    expect(await logs("?device_id=1")).to.deep.include({ total: 1 });
    const { body } = await seed.curl(...seed.asAdmin, seed.url("/api/devices/1"));
    expect(body).to.include({ device_id: "1", current_build: 0 });
    const device = { device_id: 7, device_type: TYPE, current_version: "1.0.0" };
    expect((await seed.json("/api/devices/register", device)).body).to.include({
      device_id: "7",
      current_build: 0,
    });
    for (const device_id of [1.5, -1, 2 ** 53, true, null, [1]])
      expect((await check({ device_id })).status, JSON.stringify(device_id)).to.equal(400);
    expect((await check({ current_build: "3" })).status).to.equal(400);
  });

  it("keeps how far a failed download came", async () => {
    await seed.makeLegacy(TYPE);
    const { id } = (await upload({ version: "1.2.0" })).body;
    await check();
    const failed = {
      firmware_id: id,
      status: "failed",
      bytes_downloaded: 20,
      error_message: "Network timeout",
    };
    expect((await report(failed)).status).to.equal(200);
    expect((await logs("?status=failed")).logs[0]).to.include({
      device_id: "123",
      bytes_downloaded: 20,
      error_message: "Network timeout",
    });
  });

  it("offers nothing to a device below min_current_version", async () => {
    await seed.makeLegacy(TYPE);
    await upload({ version: "2.0.0", min_current_version: "1.5.0" });
    expect((await check()).body.update_available).to.equal(false);
  });

  it("changes, shows and deactivates firmware, with a JSON content type and no body", async () => {
    await seed.makeLegacy(TYPE);
    const { id } = (await upload({ version: "1.2.0" })).body;
    const path = `/api/ota/admin/firmware/${id}`;
    const patched = await seed.json(path, { is_stable: false }, "-X", "PATCH", ...seed.asAdmin);
    expect(patched.body.is_stable).to.equal(false);
    const asJson = ["-H", "Content-Type: application/json"];
    expect((await seed.curl(...seed.asAdmin, ...asJson, seed.url(path))).body.version).to.equal("1.2.0");
    const gone = await seed.curl("-X", "DELETE", ...seed.asAdmin, ...asJson, seed.url(path));
    expect([gone.status, gone.body.is_active]).to.deep.equal([200, false]);
    expect((await seed.curl(seed.url(`/api/ota/download/${id}`))).status).to.equal(410);
    const empty = await seed.curl("-X", "POST", ...asJson, seed.url("/api/ota/check"));
    expect([empty.status, empty.body.error]).to.deep.equal([400, "INVALID_REQUEST"]);
  });

  it("is refused administration without a token", async () => {
    expect((await seed.curl("-F", `file=@${seed.image}`, seed.url("/api/ota/admin/upload"))).status).to.equal(
      401,
    );
    expect((await seed.curl("-X", "DELETE", seed.url("/api/ota/admin/firmware/1"))).status).to.equal(401);
    const wrong = ["-H", "Authorization: Bearer wrong"];
    expect((await seed.curl(...wrong, seed.url("/api/ota/admin/logs"))).status).to.equal(401);
  });

  it("says how a type takes unsigned firmware, and an administrator's upload does it in one step", async () => {
    const refused = await upload({ version: "1.2.0" });
    expect([refused.status, refused.body.error]).to.deep.equal([422, "TYPE_IS_SIGNED"]);
    expect(refused.body.message).to.include(`skyslot type set ${TYPE} legacy`);
    expect((await upload({ version: "1.2.0", legacy: "true" })).status).to.equal(201);
    expect((await check()).body.update_available).to.equal(true);
    const { body } = await seed.curl(...seed.asAdmin, seed.url("/api/audit?action=type.changed"));
    expect(body.entries[0]).to.include({ subject: `type/${TYPE}` });
  });

  it("does not make a type legacy for a file that it refuses, or for someone without the right", async () => {
    expect((await upload({ version: "no version", legacy: "true" })).status).to.equal(400);
    expect((await upload({ version: "1.2.0", chip: "esp32s3", legacy: "true" })).status).to.equal(422);
    const user = { name: "ci", password: "a long enough sentence", role: "operator" };
    await seed.json("/api/users", user, ...seed.asAdmin);
    const token = { name: "ci", scopes: ["releases:write"], user: "ci" };
    const { token: secret } = (await seed.json("/api/tokens", token, ...seed.asAdmin)).body;
    const form = [
      "-F",
      `file=@${seed.image}`,
      "-F",
      `device_type=${TYPE}`,
      "-F",
      "version=1.2.0",
      "-F",
      "legacy=true",
    ];
    const asCi = ["-H", `Authorization: Bearer ${secret}`];
    expect((await seed.curl(...asCi, ...form, seed.url("/api/ota/admin/upload"))).status).to.equal(403);
    expect((await seed.curl(...seed.asAdmin, seed.url("/api/types"))).body.types).to.deep.equal([]);
  });

  it("has the commands of ota_management.py", async () => {
    const firmware = (...args: string[]) =>
      seed.skyslot("firmware", ...args, "--server", seed.server.url, "--token", seed.server.adminToken);
    const type = ["--device-type", TYPE];
    const described = [...type, "--version", "1.2.0", "--build", "7"];
    const refused = await firmware("upload", "--file", seed.image, ...described).catch((error) => error);
    expect(refused.stderr).to.include(`skyslot type set ${TYPE} legacy`);
    expect(await firmware("upload", "--file", seed.image, ...described, "--make-legacy")).to.match(
      /firmware 1: .* 1\.2\.0/,
    );
    const image = await readFile(seed.image);
    const hash = createHash("sha256").update(image).digest("hex");
    const next = [...type, "--version", "1.3.0", "--build", "8", "--file-hash", hash];
    const wrong = await firmware("register", ...next, "--file-size", "5").catch((error) => error);
    expect(wrong.stderr).to.include(`file_size is 5, the stored file has ${image.length} bytes`);
    expect(await firmware("register", ...next, "--file-size", `${image.length}`)).to.include("firmware 2:");
    expect(await firmware("list", ...type))
      .to.include("1.2.0")
      .and.include("1.3.0");
    const { id } = (await seed.curl(...seed.asAdmin, seed.url("/api/ota/admin/firmware"))).body.firmware[0];
    await check();
    await report({ firmware_id: id, status: "failed", error_message: "Checksum mismatch" });
    expect(await firmware("logs", "--device-id", "123", "--status", "failed")).to.include(
      "Checksum mismatch",
    );
    expect(await firmware("logs", "--device-id", "124", "--status", "failed")).not.to.include("Checksum");
  });
});

describe("a server with --legacy-type", () => {
  before(requireCurl);

  it("takes unsigned firmware of these types from its start", async () => {
    const seed = await Seed.open({ legacyTypes: [TYPE, "pir"] });
    try {
      const fields = { device_type: TYPE, version: "1.2.0" };
      expect((await seed.upload("/api/ota/admin/upload", fields)).status).to.equal(201);
      const other = await seed.upload("/api/ota/admin/upload", { ...fields, device_type: "led" });
      expect(other.status).to.equal(422);
    } finally {
      await seed.close();
    }
  });
});
