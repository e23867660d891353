import { readdir } from "node:fs/promises";
import { expect } from "chai";
import { buildFirmwareImage } from "../../../host-sim/hardware/image/firmware-image.js";
import { makeRelease, TestServer } from "../test-server.js";

/** As an Arduino core builds it: the version of the image is not the sketch's. */
const arduinoImage = (mark: string) =>
  Buffer.from(
    buildFirmwareImage({
      chip: "esp32",
      version: "esp-idf: v4.4.7",
      project: "arduino-lib-builder",
      bundle: mark.repeat(900),
    }),
  );
const scales = (current_version: string, current_build = 0) => ({
  device_id: "scales-1",
  device_type: "scales_bridge_tab5",
  current_version,
  current_build,
});

describe("a legacy device type", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const makeLegacy = (name = "scales_bridge_tab5") =>
    server.app.inject({
      method: "PUT",
      url: `/api/types/${name}`,
      headers: { authorization: `Bearer ${server.token}` },
      payload: { kind: "legacy" },
    });
  const upload = (image: Buffer, fields: Record<string, string> = {}) =>
    server.upload(
      { image },
      { device_type: "scales_bridge_tab5", version: "1.2.0", build_number: "3", ...fields },
    );
  const check = (version: string, build = 0) =>
    server.app.inject({ method: "POST", url: "/api/ota/check", payload: scales(version, build) });
  const report = (body: object) =>
    server.app.inject({
      method: "POST",
      url: "/api/ota/status",
      payload: { device_id: "scales-1", firmware_id: 1, ...body },
    });

  it("is made by an administrator only", async () => {
    const refused = await upload(arduinoImage("a"));
    expect(refused.statusCode).to.equal(422);
    expect(refused.json().error).to.equal("TYPE_IS_SIGNED");
    expect(
      (await readdir(server.blobFolder, { recursive: true })).filter((name) => name.length > 60),
    ).to.deep.equal([]);
    expect((await makeLegacy()).json()).to.include({ name: "scales_bridge_tab5", kind: "legacy" });
    expect((await upload(arduinoImage("a"))).statusCode).to.equal(201);
    expect((await server.admin("GET", "/api/types")).json().types).to.have.length(1);
  });

  it("accepts firmware without a manifest, and says so", async () => {
    await makeLegacy();
    const answer = await upload(arduinoImage("a"));
    expect(answer.json()).to.deep.include({
      version: "1.2.0",
      build_number: 3,
      chip: "esp32",
      is_signed: false,
    });
    expect(answer.json().md5).to.match(/^[0-9a-f]{32}$/);
  });

  it("offers it with an MD5 and without a manifest", async () => {
    await makeLegacy();
    const { md5, file_hash } = (await upload(arduinoImage("a"))).json();
    const offer = (await check("1.0.0")).json();
    expect(offer).to.deep.include({
      update_available: true,
      version: "1.2.0",
      build_number: 3,
      md5,
      file_hash,
    });
    expect(offer).not.to.have.property("release");
  });

  it("accepts a claim of success only when the next check confirms it", async () => {
    await makeLegacy();
    await upload(arduinoImage("a"));
    await check("1.0.0");
    await report({ status: "downloading", bytes_downloaded: 10 });
    expect((await report({ status: "success" })).json().status).to.equal("installing");
    expect(await server.lastAttempt()).to.include({ status: "installing", step: "claimed" });
    server.nowMs += 30_000;
    expect((await check("1.2.0", 3)).json().update_available).to.equal(false);
    expect(await server.lastAttempt()).to.include({ status: "success", step: "reported" });
  });

  it("treats a claim as disproved when the old version still runs minutes later", async () => {
    await makeLegacy();
    await upload(arduinoImage("a"));
    await check("1.0.0");
    await report({ status: "success" });
    server.nowMs += 60_000;
    await check("1.0.0");
    expect(await server.lastAttempt(), "it may not have restarted yet").to.include({ status: "installing" });
    server.nowMs += 120_000;
    await check("1.0.0");
    const { logs } = (await server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
    expect(logs[0]).to.include({ error_code: "CLAIM_DISPROVED" });
  });

  it("is never offered unsigned firmware again once it requires signatures", async () => {
    await makeLegacy();
    await upload(arduinoImage("a"));
    expect((await check("1.0.0")).json().update_available).to.equal(true);
    await server.app.inject({
      method: "PUT",
      url: "/api/types/scales_bridge_tab5",
      headers: { authorization: `Bearer ${server.token}` },
      payload: { kind: "signed" },
    });
    expect((await check("1.0.0")).json().update_available).to.equal(false);
  });

  it("still checks what the file says about itself", async () => {
    await makeLegacy();
    const ours = (await makeRelease("3.0.0")).image;
    expect((await upload(ours)).json()).to.include({ error: "FIELD_MISMATCH" });
    expect((await upload(arduinoImage("a"), { chip: "esp32c3" })).json()).to.include({
      error: "FIELD_MISMATCH",
    });
    const image = arduinoImage("a");
    const cut = (await upload(image.subarray(0, image.length - 100))).json();
    expect(cut.error).to.equal("IMAGE_MALFORMED");
    expect(cut.message)
      .to.include(`${image.length}`)
      .and.include(`${image.length - 100}`);
    const middle = image.length >> 1;
    image[middle] = (image[middle] ?? 0) ^ 1;
    expect((await upload(image)).json().message).to.include("SHA-256");
    expect((await upload(arduinoImage("a"), { version: "new" })).json().error).to.equal("VERSION_INVALID");
  });

  it("accepts a file that is not an ESP32 image, such as an update for a Linux device", async () => {
    await makeLegacy("gateway-linux");
    const answer = await upload(Buffer.from("squashfs".repeat(100)), {
      device_type: "gateway-linux",
      hardware: "raspberry",
    });
    expect(answer.json()).to.include({ chip: "other", hardware: "raspberry", image_sha256: "" });
  });
});
