// Systems at the API: who uploads them, when devices are told of them, and who may read that.

import { expect } from "chai";
import { makeReleaseKeys } from "../../../release/keys.js";
import { readRelease } from "../../../release/signing.js";
import { describeSystem, readSystem, type SystemOptions, signSystem } from "../../../release/system.js";
import { type MadeRelease, makeRelease, releaseKeys, START_MS, TestServer } from "../test-server.js";

const TYPES = ["receiver", "transmitter"];
const URL = "/api/v1/systems/doorbell/manifest";

describe("systems", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ trustedKeys: [(await releaseKeys()).publicKey] });
  });
  afterEach(() => server.close());

  const made = new Map<string, MadeRelease>();
  async function releaseOf(type: string, version: string): Promise<MadeRelease> {
    const name = `${type} ${version}`;
    const known = made.get(name) ?? (await makeRelease(version, { type }));
    made.set(name, known);
    return known;
  }
  const uploadRelease = async (type: string, version: string): Promise<number> =>
    (await server.upload(await releaseOf(type, version), { is_stable: "false" })).json().id;
  async function manifestOf(version: string, options: Partial<SystemOptions> = {}): Promise<string> {
    const members = await Promise.all(
      TYPES.map(async (type) => ({ release: readRelease((await releaseOf(type, version)).release).release })),
    );
    const payload = describeSystem(members, { name: "doorbell", created: START_MS / 1000, ...options });
    return signSystem(payload, (await releaseKeys()).privateKey);
  }
  const upload = async (version: string, options?: Partial<SystemOptions>) =>
    server.admin("POST", "/api/v1/systems", { manifest: await manifestOf(version, options) });
  async function publish(version: string, options?: Partial<SystemOptions>): Promise<number> {
    for (const type of TYPES) await uploadRelease(type, version);
    return (await upload(version, options)).json().id;
  }
  const read = async (url = URL) => server.app.inject(url);

  it("tell their devices the newest version of which every release is here", async () => {
    expect((await read()).json()).to.include({ error: "SYSTEM_UNKNOWN" });
    await uploadRelease("receiver", "1.1.0");
    const answer = await upload("1.1.0", { description: "Rings twice", minCompatibleVersion: "1.0.0" });
    expect([answer.statusCode, answer.json().state]).to.deep.equal([201, "incomplete"]);
    expect(answer.json().problems).to.deep.equal(["transmitter 1.1.0 for esp32 is not here"]);
    const missing = await read();
    expect([missing.statusCode, missing.json()]).to.deep.equal([
      404,
      {
        error: "SYSTEM_INCOMPLETE",
        message: "system doorbell 1.1.0: transmitter 1.1.0 for esp32 is not here",
      },
    ]);
    await uploadRelease("transmitter", "1.1.0");
    const manifest = (await read()).json();
    expect(manifest).to.deep.include({
      system: "doorbell",
      system_version: "1.1.0",
      min_compatible_version: "1.0.0",
      description: "Rings twice",
      release_date: new Date(START_MS).toISOString(),
      update_instructions: {
        order: TYPES,
        reboot_delay_seconds: 5,
        health_check_timeout_seconds: 30,
      },
      rollback: null,
    });
    const { system } = readSystem(manifest.manifest);
    for (const component of system.components) {
      const told = manifest.devices[component.name];
      expect(told).to.include({ checksum: component.sha256, device_type: component.type });
      expect(readRelease(told.release).release.sha256).to.equal(component.sha256);
      const image = await server.app.inject(told.download_url);
      expect(image.rawPayload).to.deep.equal((await releaseOf(component.type, "1.1.0")).image);
      expect(told.firmware_url).to.equal(`http://localhost:80${told.download_url}`);
    }
  });

  it("tell the version before it, to which devices go back", async () => {
    await publish("1.0.0");
    await publish("1.1.0");
    expect((await read()).json().rollback).to.deep.equal({
      previous_version: "1.0.0",
      urls: {
        receiver: "http://localhost:80/api/ota/download/1",
        transmitter: "http://localhost:80/api/ota/download/2",
      },
      receiver_url: "http://localhost:80/api/ota/download/1",
      transmitter_url: "http://localhost:80/api/ota/download/2",
    });
  });

  it("stay at the version before while one that is newer is incomplete, deactivated or expired", async () => {
    await publish("1.0.0");
    const newer = await publish("1.1.0", { expires: START_MS / 1000 + 60 });
    const versionNow = async () => (await read()).json().system_version;
    expect(await versionNow()).to.equal("1.1.0");
    await server.admin("PATCH", "/api/ota/admin/firmware/4", { is_active: false });
    expect(await versionNow()).to.equal("1.0.0");
    const shown = (await server.admin("GET", `/api/v1/systems/${newer}`)).json();
    expect(shown).to.deep.include({
      state: "incomplete",
      problems: ["transmitter 1.1.0 for esp32 was deactivated"],
    });
    await server.admin("PATCH", "/api/ota/admin/firmware/4", { is_active: true });
    expect(await versionNow()).to.equal("1.1.0");
    expect((await server.admin("DELETE", `/api/v1/systems/${newer}`)).json()).to.include({
      state: "inactive",
      is_active: false,
    });
    expect(await versionNow()).to.equal("1.0.0");
    await server.admin("PATCH", `/api/v1/systems/${newer}`, { is_active: true });
    expect(await versionNow()).to.equal("1.1.0");
    server.nowMs += 61_000;
    expect(await versionNow()).to.equal("1.0.0");
  });

  it("are listed with what they consist of, and with what devices are told now", async () => {
    const older = await publish("1.0.0");
    const newest = await publish("1.1.0");
    const { systems } = (await server.admin("GET", "/api/v1/systems?name=doorbell")).json();
    expect(systems.map(({ id, state }: { id: number; state: string }) => [id, state])).to.deep.equal([
      [newest, "published"],
      [older, "older"],
    ]);
    expect(systems[0].components[1]).to.include({
      name: "transmitter",
      device_type: "transmitter",
      version: "1.1.0",
      firmware_id: 4,
      is_stable: false,
    });
    expect((await server.admin("GET", "/api/v1/systems?name=garden")).json().systems).to.deep.equal([]);
    expect((await server.admin("GET", "/api/v1/systems?limit=1")).json().systems).to.have.length(1);
    const events = (await server.admin("GET", "/api/events?kind=system.uploaded")).json().events;
    expect(events[0].message).to.equal("system doorbell 1.1.0 uploaded: receiver 1.1.0, transmitter 1.1.0");
    const audit = (await server.admin("GET", "/api/audit?action=system.uploaded")).json().entries;
    expect(audit).to.have.length(2);
  });

  it("are refused if a key signed them that the server does not trust, or if they are there, or are none", async () => {
    const code = async (manifest: string) => {
      const answer = await server.admin("POST", "/api/v1/systems", { manifest });
      return `${answer.statusCode} ${answer.json().error}`;
    };
    const { system } = readSystem(await manifestOf("1.1.0"));
    const { parsedVersion: _, ...payload } = system;
    const { privateKey } = await makeReleaseKeys();
    expect(await code(await signSystem(payload, privateKey))).to.equal("422 KEY_UNKNOWN");
    const signed = await manifestOf("1.1.0");
    const [head, body = "", tail] = signed.split(".");
    const forged = Buffer.from(body, "base64url").toString().replace("doorbell", "doorbelt");
    expect(await code(`${head}.${Buffer.from(forged).toString("base64url")}.${tail}`)).to.equal(
      "422 SIGNATURE_INVALID",
    );
    expect(await code((await releaseOf("receiver", "1.1.0")).release)).to.equal("422 SYSTEM_MALFORMED");
    expect(await code("x")).to.equal("422 SYSTEM_MALFORMED");
    expect(await code("x".repeat(4000))).to.equal("422 SYSTEM_TOO_LARGE");
    expect(await code(`${signed}\n`)).to.equal("201 undefined");
    expect(await code(signed)).to.equal("409 ALREADY_EXISTS");
  });

  it("are not taken if their releases are here and speak different protocols", async () => {
    const [receiver, transmitter] = await Promise.all([
      makeRelease("3.0.0", { type: "receiver", protocolVersion: 2 }),
      makeRelease("3.0.0", { type: "transmitter", protocolVersion: 3 }),
    ]);
    const components = [receiver, transmitter].map(({ release }) => {
      const { type, hardware, version, build, sha256 } = readRelease(release).release;
      return { name: type, type, hardware, version, build, sha256 };
    });
    const payload = {
      format: 1,
      name: "doorbell",
      version: "3.0.0",
      components,
      rebootDelaySeconds: 5,
      healthTimeoutSeconds: 30,
      created: 1,
    } as const;
    const manifest = await signSystem(payload, (await releaseKeys()).privateKey);
    await server.upload(receiver, { is_stable: "false" });
    // One after the other: nobody knows the second one's protocol yet.
    expect((await server.admin("POST", "/api/v1/systems", { manifest })).statusCode).to.equal(201);
    await server.upload(transmitter, { is_stable: "false" });
    expect((await read()).json().message).to.equal(
      "system doorbell 3.0.0: receiver 3.0.0 speaks protocol 2, transmitter 3.0.0 speaks 3",
    );
    const again = { ...payload, version: "3.0.1" };
    const refused = await server.admin("POST", "/api/v1/systems", {
      manifest: await signSystem(again, (await releaseKeys()).privateKey),
    });
    expect([refused.statusCode, refused.json().error]).to.deep.equal([422, "SYSTEM_INCOMPATIBLE"]);
  });

  it("are what /manifest tells a pair, instead of what is composed of its newest releases", async () => {
    for (const type of TYPES) await server.upload(await releaseOf(type, "1.2.0"));
    expect((await read("/manifest")).json()).to.include({ system_version: "1.2.0" });
    await publish("1.1.0");
    const manifest = (await read("/manifest")).json();
    expect(manifest).to.include({ system: "doorbell", system_version: "1.1.0" });
    expect((await read("/manifest?types=transmitter,receiver")).json().system).to.equal("doorbell");
    expect((await read("/manifest?types=receiver")).json()).to.include({ system_version: "1.2.0" });
    await server.admin("PATCH", "/api/ota/admin/firmware/3", { is_active: false });
    expect((await read("/manifest")).json().error).to.equal("SYSTEM_INCOMPLETE");
  });

  it("of closed types are read by a device of one of them, whose name is in the link of its own image only", async () => {
    await publish("1.1.0");
    for (const type of TYPES)
      await server.admin("PUT", `/api/registration/${type}`, { registration: "open", tokens: "required" });
    server.nowMs += 3000;
    expect((await read()).json().error).to.equal("SYSTEM_UNKNOWN");
    expect((await read("/manifest")).statusCode).to.equal(404);
    const device = { device_id: "rx-1", device_type: "receiver" };
    const token = (await server.check({ ...device, keeps_token: true })).json().device_token;
    const refusals = async () =>
      (await server.admin("GET", "/api/events?kind=device.refused")).json().events.length;
    const refusedBefore = await refusals();
    const asked = await server.as(token, "GET", `${URL}?device=rx-1&releases=links`);
    expect(await refusals(), "its token is not shown for the other type").to.equal(refusedBefore);
    const { devices } = asked.json();
    expect(devices.receiver).to.include({ download_url: "/api/ota/download/1?device=rx-1" });
    expect(devices.receiver.firmware_url).to.match(/^http:\/\/localhost:80\/.*device=rx-1$/);
    expect(devices.receiver).not.to.have.property("release");
    expect(devices.transmitter).to.include({ download_url: "/api/ota/download/2" });
    const own = await server.as(token, "GET", devices.receiver.release_url);
    expect(own.body).to.equal((await releaseOf("receiver", "1.1.0")).release);
    expect(
      (await server.as(token, "GET", `${devices.transmitter.release_url}?device=rx-1`)).statusCode,
    ).not.to.equal(200);
    expect(await refusals(), "but it is when the device asks so").to.be.greaterThan(refusedBefore);
  });

  it("have links to the public URL of the server, under its path", async () => {
    await server.close();
    server = await TestServer.open({ publicUrl: "https://example.com/ota" });
    await publish("1.1.0");
    expect((await read()).json().devices.receiver).to.include({
      firmware_url: "https://example.com/ota/api/ota/download/1",
      download_url: "/ota/api/ota/download/1",
      release_url: "/ota/api/ota/download/1/release",
      digests_url: "/ota/api/ota/download/1/digests",
    });
  });

  it("have no manifest of a release that is not signed, is inactive or unknown", async () => {
    const code = async (id: number) => (await read(`/api/ota/download/${id}/release`)).json().error;
    await server.admin("PUT", "/api/types/receiver", { kind: "legacy" });
    const { image } = await releaseOf("receiver", "1.0.0");
    await server.upload({ image }, { device_type: "receiver", version: "1.0.0" });
    expect(await code(1)).to.equal("RELEASE_UNKNOWN");
    const id = await uploadRelease("transmitter", "1.0.0");
    await server.admin("DELETE", `/api/ota/admin/firmware/${id}`);
    expect(await code(id)).to.equal("FIRMWARE_INACTIVE");
    expect(await code(99)).to.equal("FIRMWARE_UNKNOWN");
  });
});
