// Images by the names of their device type and version.

import { expect } from "chai";
import { makeRelease, TestServer } from "../test-server.js";

describe("an image by its device and version", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const upload = async (version: string, chip: "esp32" | "esp32c3" = "esp32", fields = {}) => {
    const made = await makeRelease(version, { type: "receiver", image: { chip } });
    const { id } = (await server.upload(made, fields)).json();
    return { id, image: made.image };
  };
  const get = (path: string, headers = {}) =>
    server.app.inject({ url: `/firmware/receiver/${path}`, headers });

  it("is sent whole, in ranges and as a head, also where it is not stable", async () => {
    const { image } = await upload("1.2.0", "esp32", { is_stable: "false" });
    expect((await get("1.2.0")).rawPayload).to.deep.equal(image);
    expect((await get("v1.2.0")).rawPayload).to.deep.equal(image);
    const part = await get("1.2.0", { range: "bytes=100-199" });
    expect([part.statusCode, part.rawPayload]).to.deep.equal([206, image.subarray(100, 200)]);
    const head = await server.app.inject({ method: "HEAD", url: "/firmware/receiver/1.2.0" });
    expect([head.statusCode, head.headers["content-length"]]).to.deep.equal([200, `${image.length}`]);
  });

  it("called latest is the newest that every device of the type may have", async () => {
    const older = await upload("1.9.0");
    const newer = await upload("1.10.0");
    expect((await get("latest")).rawPayload).to.deep.equal(newer.image);
    await server.admin("PATCH", `/api/ota/admin/firmware/${newer.id}`, { is_stable: false });
    expect((await get("latest")).rawPayload).to.deep.equal(older.image);
  });

  it("is the newest build of a version, or the one that is named", async () => {
    const first = await upload("1.2.0+3");
    const second = await upload("1.2.0+12");
    expect((await get("1.2.0")).rawPayload).to.deep.equal(second.image);
    expect((await get("1.2.0+3")).rawPayload).to.deep.equal(first.image);
    expect((await get("1.2.0%2B3")).rawPayload).to.deep.equal(first.image);
  });

  it("has to be asked for with its board where a version is for several", async () => {
    await upload("1.2.0");
    const c3 = await upload("1.2.0", "esp32c3");
    const answer = await get("1.2.0");
    expect([answer.statusCode, answer.json().message]).to.deep.equal([
      400,
      "receiver 1.2.0 is for esp32 and esp32c3: add ?hardware=esp32",
    ]);
    expect((await get("1.2.0?hardware=esp32c3")).rawPayload).to.deep.equal(c3.image);
    expect((await get("latest?hardware=esp32c3")).rawPayload).to.deep.equal(c3.image);
    expect((await get("latest?hardware=esp32s3")).statusCode).to.equal(404);
  });

  it("is unknown where there is none, where it was deactivated, and to whom its type is closed", async () => {
    expect((await get("1.2.0")).json().error).to.equal("FIRMWARE_UNKNOWN");
    const { id, image } = await upload("1.2.0");
    expect((await get("1.2.1")).json().error).to.equal("FIRMWARE_UNKNOWN");
    expect((await get("newest")).json().error).to.equal("FIRMWARE_UNKNOWN");
    await server.admin("PUT", "/api/registration/receiver", { registration: "open", tokens: "required" });
    server.nowMs += 3000;
    expect((await get("1.2.0")).json().error).to.equal("FIRMWARE_UNKNOWN");
    expect((await server.admin("GET", "/firmware/receiver/1.2.0")).rawPayload).to.deep.equal(image);
    await server.admin("DELETE", `/api/ota/admin/firmware/${id}`);
    expect((await server.admin("GET", "/firmware/receiver/1.2.0")).json().error).to.equal("FIRMWARE_UNKNOWN");
  });
});
