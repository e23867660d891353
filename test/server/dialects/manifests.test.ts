import { expect } from "chai";
import { ImageFileReader } from "../../../release/image-reader.js";
import { makeRelease, TestServer } from "../test-server.js";

describe("manifests for other tools", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const release = async (version: string, type: string, chip: "esp32" | "esp32c3" = "esp32") =>
    (await server.upload(await makeRelease(version, { type, image: { chip } }))).json();
  const get = async (url: string) => (await server.app.inject(url)).json();

  it("point ESP Web Tools and ESPHome to the newest image of each chip", async () => {
    await release("1.0.0", "base");
    const esp32 = await release("1.1.0", "base");
    const c3 = await release("1.1.0", "base", "esp32c3");
    expect(await get("/api/web-tools/base/manifest.json")).to.deep.equal({
      name: "base",
      version: "1.1.0",
      new_install_prompt_erase: true,
      builds: [c3, esp32].map(({ id, md5 }, at) => ({
        chipFamily: ["ESP32-C3", "ESP32"][at],
        parts: [{ path: `/api/ota/download/${id}`, offset: 0x20000 }],
        ota: { path: `/api/ota/download/${id}`, md5, summary: "", release_url: "" },
      })),
    });
    expect((await get("/api/web-tools/base/manifest.json?offset=100")).error).to.equal("INVALID_REQUEST");
    expect((await get("/api/web-tools/none/manifest.json")).error).to.equal("FIRMWARE_UNKNOWN");
  });

  it("give ESP Web Tools the offset of a type's app, and let pages of other sites fetch it", async () => {
    await release("1.1.0", "base");
    const offsetOf = async (query: string) =>
      (await get(`/api/web-tools/base/manifest.json${query}`)).builds[0].parts[0].offset;
    expect(await offsetOf("")).to.equal(0x20000);
    expect(await offsetOf("?offset=65536")).to.equal(0x10000);
    await server.admin("PUT", "/api/types/base", { kind: "legacy" });
    expect(await offsetOf("")).to.equal(0x10000);
    for (const url of ["/api/web-tools/base/manifest.json", "/api/ota/download/1"])
      expect((await server.app.inject(url)).headers).to.include({ "access-control-allow-origin": "*" });
    const policy = { registration: "open", tokens: "required" };
    await server.admin("PUT", "/api/registration/base", policy);
    server.nowMs += 3000;
    const mine = await server.admin("GET", "/api/ota/download/1");
    expect(mine.statusCode).to.equal(200);
    expect(mine.headers).not.to.have.property("access-control-allow-origin");
  });

  it("name every chip that ESP Web Tools can flash, and put an ESP8266's image at the beginning of its flash", async () => {
    await server.admin("PUT", "/api/types/sensor", { kind: "legacy" });
    const chips = { esp8266: "ESP8266", esp32c5: "ESP32-C5", esp32c61: "ESP32-C61", esp32h2: "ESP32-H2" };
    for (const chip of Object.keys(chips)) {
      const fields = { device_type: "sensor", version: "1.0.0", hardware: chip, chip };
      const sent = await server.upload({ image: Buffer.from(`firmware of ${chip}`) }, fields);
      expect(sent.statusCode, sent.body).equal(201);
    }
    for (const query of ["", "?offset=65536"]) {
      const { builds } = await get(`/api/web-tools/sensor/manifest.json${query}`);
      const offsets = builds.map((build: { chipFamily: string; parts: { offset: number }[] }) => [
        build.chipFamily,
        build.parts[0]?.offset,
      ]);
      expect(offsets).to.have.deep.members(
        Object.values(chips).map((family) => [family, family === "ESP8266" ? 0 : 0x10000]),
      );
    }
  });

  it("know the chip of an image that was built for a newer one", async () => {
    for (const [id, chip] of [
      [23, "esp32c5"],
      [20, "esp32c61"],
    ] as const) {
      const { image } = await makeRelease("1.0.0");
      image.writeUInt16LE(id, 12);
      const reader = new ImageFileReader();
      reader.take(image);
      expect(reader.description?.chip).equal(chip);
    }
  });

  it("answer 404 rather than an empty list where nothing can be flashed, and pass over what cannot", async () => {
    await server.admin("PUT", "/api/types/gateway", { kind: "legacy" });
    const upload = (version: string, chip: string) =>
      server.upload({ image: Buffer.from(`${version} ${chip}`) }, { device_type: "gateway", version, chip });
    await upload("1.0.0", "other");
    await upload("1.0.0", "constructor");
    const answer = await server.app.inject("/api/web-tools/gateway/manifest.json");
    expect([answer.statusCode, answer.json().error]).deep.equal([404, "FIRMWARE_UNKNOWN"]);
    expect(answer.json().message).to.match(/it is for .*other/);
    await upload("0.9.0", "esp32");
    await upload("1.1.0", "other");
    expect(await get("/api/web-tools/gateway/manifest.json")).deep.include({ version: "0.9.0" });
  });

  it("give a synchronised pair its versions, their order and the roll back", async () => {
    for (const version of ["1.0.0", "1.1.0"])
      for (const type of ["receiver", "transmitter"]) await release(version, type);
    const manifest = await get("/manifest");
    expect(manifest).to.deep.include({
      system_version: "1.1.0",
      min_compatible_version: "0.0.0",
      update_instructions: {
        order: ["receiver", "transmitter"],
        reboot_delay_seconds: 5,
        health_check_timeout_seconds: 30,
      },
      rollback: {
        previous_version: "1.0.0",
        urls: {
          receiver: "http://localhost:80/api/ota/download/1",
          transmitter: "http://localhost:80/api/ota/download/2",
        },
        receiver_url: "http://localhost:80/api/ota/download/1",
        transmitter_url: "http://localhost:80/api/ota/download/2",
      },
      release_date: new Date(server.nowMs).toISOString(),
      description: "",
    });
    expect(manifest.devices.receiver).to.include({
      version: "1.1.0",
      hardware: "esp32",
      version_number: 10100,
      device_type: "receiver",
      firmware_url: "http://localhost:80/api/ota/download/3",
      download_url: "/api/ota/download/3",
      release_url: "/api/ota/download/3/release",
      protocol_version: 1,
    });
    expect(manifest).not.to.have.any.keys("system", "manifest");
    expect(manifest.devices.receiver.md5_checksum).to.match(/^[0-9a-f]{32}$/);
    expect((await server.app.inject("/api/ota/download/3/release")).body).to.equal(
      manifest.devices.receiver.release,
    );
    const short = await get("/manifest?releases=links");
    expect(short.devices.receiver).to.have.property("release_url").and.not.to.have.property("release");
    expect(manifest.devices.transmitter.checksum).to.match(/^[0-9a-f]{64}$/);
  });

  it("offer no roll back that only one half of a pair has", async () => {
    await release("1.0.0", "receiver");
    await release("1.1.0", "receiver");
    await release("1.1.0", "transmitter");
    expect((await get("/manifest")).rollback).to.equal(null);
  });

  it("announce the newest version that the whole system has", async () => {
    for (const type of ["receiver", "transmitter"])
      for (const version of ["1.0.0", "1.1.0"]) await release(version, type);
    await release("1.2.0", "receiver");
    const manifest = await get("/manifest");
    expect(manifest).to.include({ system_version: "1.1.0" });
    expect(manifest.rollback.previous_version).to.equal("1.0.0");
    expect(manifest.devices.receiver).to.include({ version: "1.1.0", download_url: "/api/ota/download/2" });
    expect(manifest.devices.transmitter).to.include({ version: "1.1.0" });
    expect((await get("/manifest?types=transmitter,receiver")).system_version).to.equal("1.1.0");
    expect((await get("/manifest?types=receiver")).system_version).to.equal("1.2.0");
    const half = await release("1.2.0+3", "transmitter");
    expect(await get("/manifest")).to.include({ system_version: "1.2.0" });
    await server.admin("PATCH", `/api/ota/admin/firmware/${half.id}`, { is_stable: false });
    expect(await get("/manifest"), "is not released for all").to.include({ system_version: "1.1.0" });
    await server.admin("PATCH", `/api/ota/admin/firmware/${half.id}`, { is_stable: true });
    await server.admin("POST", "/api/rollouts", {
      firmware_id: half.id,
      name: "half",
      stages: [{ percent: 10 }],
    });
    expect(await get("/manifest"), "is kept by its rollout").to.include({ system_version: "1.1.0" });
  });

  it("announce no system of which the halves have no version in common", async () => {
    await release("1.0.0", "receiver");
    await release("1.2.0", "receiver");
    await release("1.1.0", "transmitter");
    const answer = await server.app.inject("/manifest");
    expect(answer.statusCode).to.equal(404);
    expect(answer.json()).to.deep.equal({
      error: "FIRMWARE_UNKNOWN",
      message:
        "there is no version that all of receiver, transmitter have: the newest are receiver 1.2.0 and transmitter 1.1.0",
    });
  });

  it("require of a pair what any half of it requires", async () => {
    for (const type of ["receiver", "transmitter"]) await release("1.1.0", type);
    const require = (id: number, min_current_version: string) =>
      server.admin("PATCH", `/api/ota/admin/firmware/${id}`, { min_current_version });
    await require(2, "1.0.0");
    expect(await get("/manifest")).to.include({ min_compatible_version: "1.0.0" });
    await require(1, "0.10.0");
    expect(await get("/manifest")).to.include({ min_compatible_version: "1.0.0" });
    await require(1, "1.0.1");
    expect(await get("/manifest")).to.include({ min_compatible_version: "1.0.1" });
  });
});
