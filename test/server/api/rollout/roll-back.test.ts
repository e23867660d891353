import { expect } from "chai";
import { sampleFirmware } from "../../../contract/store/samples.js";
import { TestServer } from "../../test-server.js";
import { imageOf } from "./virtual-fleet.js";

describe("rolling devices back to a chosen release", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ deviceRate: undefined });
    const add = (version: string, more: object = {}) =>
      server.store.addFirmware(
        sampleFirmware({ version, imageSha256: imageOf(version), isStable: false, ...more }),
      );
    await add("1.0.0");
    await add("1.1.0");
    await add("1.2.0");
    await add("1.2.1", { expiresAt: server.nowMs });
    await add("1.2.2", { hardware: "olimex" });
    await server.admin("POST", "/api/rollouts", { firmware_id: 3, name: "bad" });
    await server.admin("POST", "/api/rollouts/1/start");
  });
  afterEach(() => server.close());

  /** A device that runs 1.2.0. With a state of its slot it is Skyslot's firmware. */
  const check = async (device_id: string, more: object = {}) =>
    (
      await server.check({
        device_id,
        current_version: "1.2.0",
        current_build: 0,
        image_sha256: imageOf("1.2.0"),
        ...more,
      })
    ).json();
  const back = (body: object) => server.admin("POST", "/api/rollouts/1/rollback", body);

  it("lists the choices, newest first, and the default", async () => {
    const list = async () => (await server.admin("GET", "/api/rollouts/1/rollback")).json().releases;
    expect(await list()).to.deep.equal([
      { firmware_id: 2, release: "base 1.1.0", is_newer: false, is_default: false },
      { firmware_id: 1, release: "base 1.0.0", is_newer: false, is_default: false },
    ]);
    await server.store.addFirmware(sampleFirmware({ version: "1.2.0", buildNumber: 1 }));
    await server.store.addFirmware(sampleFirmware({ version: "1.2.0", buildNumber: 2 }));
    expect((await list()).slice(0, 2)).to.deep.equal([
      { firmware_id: 7, release: "base 1.2.0 build 2", is_newer: true, is_default: true },
      { firmware_id: 6, release: "base 1.2.0 build 1", is_newer: true, is_default: false },
    ]);
    expect((await back({ firmware_id: 6 })).json().back).to.include({ firmware_id: 6, force: "none" });
    expect((await check("own", { slot_state: "valid" })).build_number).to.equal(1);
  });

  it("uses an older one for devices that accept it, and leaves the others as they are", async () => {
    await check("own", { slot_state: "valid" });
    await check("plain", { slot_state: undefined });
    const answer = await back({ firmware_id: 1 });
    expect(answer.statusCode, answer.body).to.equal(201);
    expect(answer.json().ended).to.include({ state: "cancelled" });
    expect(answer.json().back).to.deep.include({
      firmware_id: 1,
      state: "running",
      force: "any_order",
      target: { from_version: "1.2.0+0", to_version: "1.2.0+0" },
    });
    expect(await check("plain", { slot_state: undefined })).to.include({ version: "1.0.0" });
    expect((await check("own", { slot_state: "valid" })).update_available).to.equal(false);
    const why = (await server.admin("GET", "/api/devices/own/why")).json();
    expect(why.summary).to.match(
      /base 1\.0\.0 is not newer than 1\.2\.0, and this device's firmware refuses/,
    );
  });

  it("refuses an older one that no device would accept, with the numbers, and ends nothing", async () => {
    await check("own", { slot_state: "valid" });
    const refused = await back({ firmware_id: 2 });
    expect(refused.statusCode).to.equal(409);
    expect(refused.json().message).to.match(
      /^base 1\.1\.0 is not newer than base 1\.2\.0: no device that runs that would accept it\. .*1\.2\.0\+1 or higher/,
    );
    for (const firmware_id of [3, 4, 5, 99])
      expect((await back({ firmware_id })).json().message).to.match(/is not another active release for base/);
    expect((await back({})).json()).to.include({ error: "NO_WAY_BACK" });
    expect((await server.admin("GET", "/api/rollouts/1")).json()).to.include({ state: "running" });
    expect((await server.admin("GET", "/api/rollouts")).json()).to.include({ total: 1 });
  });

  it("skips releases whose rollouts were all cancelled, unless one is chosen", async () => {
    await server.store.addFirmware(sampleFirmware({ version: "1.3.0", imageSha256: imageOf("1.3.0") }));
    await server.admin("POST", "/api/rollouts", { firmware_id: 6 });
    await server.admin("POST", "/api/rollouts/2/cancel");
    const [newest] = (await server.admin("GET", "/api/rollouts/1/rollback")).json().releases;
    expect(newest).to.include({ firmware_id: 6, is_newer: true, is_default: false });
    expect((await back({})).json().message).to.match(
      /^base 1\.3\.0 is newer, but its rollouts were cancelled: choose firmware 6 to use it anyway\. /,
    );
    expect((await back({ firmware_id: 6 })).statusCode).to.equal(201);
  });

  it("lists the older releases that can be chosen for unsigned firmware", async () => {
    await server.store.addFirmware(sampleFirmware({ version: "1.3.0", release: null }));
    await server.admin("POST", "/api/rollouts", { firmware_id: 6 });
    const refused = await server.admin("POST", "/api/rollouts/2/rollback", {});
    expect(refused.json().message).to.match(
      /^Devices that accept older versions get base 1\.2\.0 if you choose it, firmware 3\. Others refuse what/,
    );
  });
});
