// Whatever way a device says what it runs, it is believed: attempts end by it, and so does what rollouts know of it.

import { expect } from "chai";
import type { CheckRequest } from "../../../firmware/core/wire.js";
import { makeRelease, TestServer } from "../test-server.js";
import { arduinoImage, LegacyServer } from "./legacy-server.js";

const MINUTE = 60_000;
const SENSOR = "sensor-1";
const OTHER_IMAGE = "d".repeat(64);

async function startRollout(server: TestServer, firmware_id: number, plan: object = {}): Promise<void> {
  const body = { firmware_id, name: "all", stages: [{ percent: 100 }], ...plan };
  const { id } = (await server.admin("POST", "/api/rollouts", body)).json();
  const started = await server.admin("POST", `/api/rollouts/${id}/start`);
  expect(started.statusCode, started.body).to.equal(200);
}

const outcomeOf = async (server: TestServer, deviceId: string, rolloutId = 1) => {
  const { rollouts } = (await server.admin("GET", `/api/devices/${deviceId}`)).json();
  const { outcome, error_code } = rollouts.find(
    ({ rollout_id }: { rollout_id: number }) => rollout_id === rolloutId,
  );
  return error_code === null ? outcome : error_code;
};

describe("a legacy device without image hashes", () => {
  let legacy: LegacyServer;
  let firmwareId: number;
  const check = (current_version: string, current_build = 0) =>
    legacy.server.app.inject({
      method: "POST",
      url: "/api/ota/check",
      payload: { device_id: SENSOR, device_type: "sensor", current_version, current_build },
    });
  const isOffered = async (version: string, build = 0): Promise<boolean> =>
    (await check(version, build)).json().update_available;
  const release = async (version: string, fields: Record<string, string> = {}) =>
    (await legacy.upload(arduinoImage(version), { version, ...fields })).json().id;

  beforeEach(async () => {
    legacy = await LegacyServer.open("sensor");
    firmwareId = await release("2.0.0", { is_stable: "false" });
    await startRollout(legacy.server, firmwareId);
  });
  afterEach(() => legacy.close());

  for (const said of ["2.0.0", "v2.0.0", "2.0", "2.0.0+0"]) {
    it(`has succeeded when it says ${said} after it was sent 2.0.0, without any report`, async () => {
      expect(await isOffered("1.0.0")).to.equal(true);
      expect(await isOffered(said)).to.equal(false);
      expect(await legacy.server.lastAttempt()).to.include({
        status: "success",
        step: "reported",
        error_code: null,
      });
      expect(await outcomeOf(legacy.server, SENSOR)).to.equal("validated");
    });
  }

  it("has succeeded from whatever step it had reported", async () => {
    for (const [n, report] of [
      { status: "downloading" },
      { status: "installing" },
      { status: "installing", step: "flashing" },
      { status: "success" },
    ].entries()) {
      const device_id = `sensor-${n}`;
      const me = { device_id, device_type: "sensor", current_build: 0 };
      const send = (url: string, payload: object) =>
        legacy.server.app.inject({ method: "POST", url: `/api/ota/${url}`, payload });
      await send("check", { ...me, current_version: "1.0.0" });
      const reported = await send("status", { device_id, firmware_id: firmwareId, ...report });
      expect(reported.statusCode, reported.body).to.equal(200);
      await send("check", { ...me, current_version: "v2.0.0" });
      expect(await legacy.server.lastAttempt()).to.include({
        device_id,
        status: "success",
        step: "reported",
      });
      expect(await outcomeOf(legacy.server, device_id)).to.equal("validated");
    }
  });

  it("has a build number, beside its version or in it", async () => {
    const id = await release("2.1.0", { build_number: "7", is_stable: "false" });
    await startRollout(legacy.server, id, { priority: 1 });
    await check("1.0.0");
    expect(await isOffered("2.1.0", 6), "an older build").to.equal(true);
    expect(await isOffered("2.1.0+7"), "in its version").to.equal(false);
    expect(await legacy.server.lastAttempt()).to.include({ firmware_id: id, status: "success" });
    expect(await isOffered("v2.1.0", 7), "beside it").to.equal(false);
    expect(await outcomeOf(legacy.server, SENSOR, 2)).to.equal("validated");
  });

  it("that runs something newer has not been refused anything", async () => {
    await check("1.0.0");
    await check("2.1.0");
    const attempt = await legacy.server.lastAttempt();
    expect(attempt).to.include({ status: "failed", error_code: "SUPERSEDED" });
    expect(attempt.error_message).to.equal("runs 2.1.0, which came another way");
    expect(await outcomeOf(legacy.server, SENSOR)).to.equal(null);
  });

  it("has not succeeded while the old version runs, and its offer stands", async () => {
    await check("1.0.0");
    for (const said of ["1.0.0", "1.9.9", "2.0.0-rc.1"]) expect(await isOffered(said), said).to.equal(true);
    expect(await legacy.server.lastAttempt()).to.include({ id: 1, status: "pending" });
    await legacy.server.admin("POST", "/api/rollouts/1/cancel");
    expect(await isOffered("1.0.0")).to.equal(false);
    expect(await legacy.server.lastAttempt(), "now it is withdrawn").to.include({ error_code: "WITHDRAWN" });
  });

  it("that fetches the whole image again and again and reports nothing has failed", async () => {
    const { server } = legacy;
    const fetchImage = async (headers: Record<string, string> = {}) => {
      const url = `/api/ota/download/${firmwareId}?device=${SENSOR}`;
      const { statusCode } = await server.app.inject({ url, headers });
      // The server counts what it has sent when it has sent it.
      for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
      return statusCode;
    };
    for (let part = 0; part < 6; part++) expect(await fetchImage({ range: "bytes=0-99" })).to.equal(206);
    let sentCount = 0;
    for (let boot = 0; boot < 9; boot++) {
      if (await isOffered("1.0.0")) sentCount += (await fetchImage()) === 200 ? 1 : 0;
      server.nowMs += MINUTE;
    }
    expect(sentCount).to.be.within(3, 4);
    expect(await server.lastAttempt()).to.include({ status: "failed", error_code: "NEVER_FINISHED" });
    expect((await server.admin("GET", "/api/rollouts/1")).json()).to.include({ state: "paused" });
  });

  it("that installs the same version again succeeds only by its claim", async () => {
    const { server } = legacy;
    await check("2.0.0");
    await server.admin("POST", "/api/rollouts/1/cancel");
    await startRollout(server, firmwareId, { force: "reinstall", name: "again" });
    expect(await isOffered("2.0.0")).to.equal(true);
    expect(await isOffered("2.0.0"), "the version alone proves nothing").to.equal(true);
    expect(await outcomeOf(server, SENSOR, 2)).to.equal(null);
    const claim = { device_id: SENSOR, firmware_id: firmwareId, status: "success" } as const;
    await server.status(claim);
    expect(await isOffered("2.0.0")).to.equal(false);
    expect(await server.lastAttempt()).to.include({ status: "success", step: "reported" });
    expect(await outcomeOf(server, SENSOR, 2)).to.equal("validated");
  });

  it("went back when it says an older version, in any way in which it can say so", async () => {
    const { server } = legacy;
    const say: Record<string, (version: string) => Promise<unknown>> = {
      check,
      register: (current_version) =>
        server.app.inject({
          method: "POST",
          url: "/api/devices/register",
          payload: { device_id: SENSOR, device_type: "sensor", current_version, current_build: 0 },
        }),
      heartbeat: (current_version) =>
        server.app.inject({
          method: "POST",
          url: `/api/devices/${SENSOR}/heartbeat`,
          payload: { current_version },
        }),
    };
    await check("1.0.0");
    for (const [way, tell] of Object.entries(say)) {
      await check("2.0.0");
      expect(await outcomeOf(server, SENSOR), way).to.equal("validated");
      await tell("v1.0.0");
      expect(await outcomeOf(server, SENSOR), way).to.equal("WENT_BACK");
      const [shown] = (await server.admin("GET", "/api/devices")).json().devices;
      expect(shown.current_version, way).to.equal("v1.0.0");
      await check("1.0.0");
    }
  });

  it("did not go back by itself where a rollout led it back", async () => {
    const { server } = legacy;
    const older = await release("1.5.0", { is_stable: "false" });
    await check("1.0.0");
    await check("2.0.0");
    await startRollout(server, older, { force: "any_order", priority: 1, name: "back" });
    expect(await isOffered("2.0.0")).to.equal(true);
    expect(await isOffered("1.5.0")).to.equal(false);
    expect(await server.lastAttempt()).to.include({ firmware_id: older, status: "success" });
    expect(await outcomeOf(server, SENSOR, 2)).to.equal("validated");
    expect(await outcomeOf(server, SENSOR, 1)).to.equal("validated");
  });
});

describe("a device whose boot loader knows no slot states", () => {
  let server: TestServer;
  const check = async (
    image: { readonly imageSha256: string },
    current_version: string,
    slot_state?: CheckRequest["slot_state"],
  ) => {
    const answer = await server.app.inject({
      method: "POST",
      url: "/api/ota/check",
      payload: {
        device_id: "base-1",
        device_type: "base",
        current_version,
        current_build: 0,
        image_sha256: image.imageSha256,
        ...(slot_state === undefined ? {} : { slot_state }),
      },
    });
    server.nowMs += 2 * MINUTE;
    return answer.json();
  };
  const OLD = { imageSha256: OTHER_IMAGE };
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  for (const state of [undefined, "undefined", "new"] as const) {
    it(`has succeeded by its own account: ${state === undefined ? "no state" : `"${state}"`}`, async () => {
      const made = await makeRelease("1.1.0");
      await server.upload(made, { is_stable: "false" });
      await startRollout(server, 1);
      expect(await check(OLD, "1.0.0", state)).to.include({ update_available: true });
      expect(await check(made, "1.1.0", state)).to.include({ update_available: false });
      expect(await server.lastAttempt()).to.include({ status: "success", step: "reported" });
      expect(await outcomeOf(server, "base-1")).to.equal("validated");
      const newer = await makeRelease("1.2.0");
      await server.upload(newer);
      expect(await check(made, "1.1.0", state), "the next release").to.include({ version: "1.2.0" });
    });
  }

  it("has time for a trial of its own, if it reports steps", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made, { is_stable: "false" });
    await startRollout(server, 1);
    await check(OLD, "1.0.0", "undefined");
    await server.status({ device_id: "base-1", status: "installing", step: "armed" });
    for (let n = 0; n < 3; n++) {
      expect(await check(made, "1.1.0", "undefined")).to.include({ update_available: false });
      expect(await server.lastAttempt()).to.include({ status: "installing", step: "trial" });
      expect(await outcomeOf(server, "base-1")).to.equal(null);
    }
    await check(made, "1.1.0", "undefined");
    expect(await server.lastAttempt()).to.include({ status: "success", step: "reported" });
    expect(await outcomeOf(server, "base-1")).to.equal("validated");
  });

  for (const state of ["pending_verify", "aborted", "invalid"] as const) {
    it(`has not succeeded in a state of trials, and is offered nothing else: "${state}"`, async () => {
      const made = await makeRelease("1.1.0");
      await server.upload(made);
      await check(OLD, "1.0.0", "valid");
      await check(made, "1.1.0", state);
      await server.upload(await makeRelease("1.2.0"));
      for (let n = 0; n < 3; n++)
        expect(await check(made, "1.1.0", state)).to.include({ update_available: false });
      expect(await server.lastAttempt()).to.include({ id: 1, status: "installing", step: "trial" });
      const { summary } = (await server.admin("GET", "/api/devices/base-1/why")).json();
      expect(summary).to.contain("1.1.0 is on trial on the device");
    });
  }

  it("succeeds by its version where it sends no hash, but not on trial", async () => {
    await server.upload(await makeRelease("1.1.0"));
    const say = async (device_id: string, current_version: string, state: object = {}) =>
      server.app.inject({
        method: "POST",
        url: "/api/ota/check",
        payload: { device_id, device_type: "base", current_version, current_build: 0, ...state },
      });
    await say("old-client", "1.0.0");
    await say("old-client", "v1.1.0");
    expect(await server.lastAttempt()).to.include({ status: "success", step: "reported" });
    await say("on-trial", "1.0.0", { slot_state: "valid" });
    await say("on-trial", "1.1.0", { slot_state: "pending_verify" });
    expect(await server.lastAttempt()).to.include({ status: "installing", step: "trial" });
    await say("on-trial", "1.1.0", { slot_state: "valid" });
    expect(await server.lastAttempt()).to.include({ status: "success", step: "reported" });
  });

  it("runs no release that only has the same version as its own image", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made);
    await check(OLD, "1.0.0", "valid");
    await server.status({ device_id: "base-1", status: "installing", step: "armed" });
    await check({ imageSha256: "e".repeat(64) }, "1.1.0", "valid");
    expect(await server.lastAttempt()).to.include({ status: "failed", error_code: "SUPERSEDED" });
  });
});

describe("the version in a hawkBit client's attributes", () => {
  const BASE = "/gateway/controller/v1/gw-1";
  let legacy: LegacyServer;
  const request = (method: "GET" | "POST" | "PUT", url: string, payload?: object) =>
    legacy.server.app.inject({ method, url, ...(payload ? { payload } : {}) });
  const poll = async () => (await request("GET", BASE)).json()._links;
  const tell = (data: Record<string, string>) => request("PUT", `${BASE}/configData`, { data });
  const closeAction = (id: number) =>
    request("POST", `${BASE}/deploymentBase/${id}/feedback`, {
      status: { execution: "closed", result: { finished: "success" }, details: [] },
    });
  const shown = async () => (await legacy.server.admin("GET", "/api/devices/gw-1")).json();

  beforeEach(async () => {
    legacy = await LegacyServer.open("gateway");
    const bundle = Buffer.from("bundle".repeat(100));
    await legacy.upload(bundle, { version: "2.0.0", build_number: "4", is_stable: "false" });
    await startRollout(legacy.server, 1);
    await poll();
  });
  afterEach(() => legacy.close());

  for (const name of ["version", "sw_version"]) {
    it(`runs, although its feedback has said another: ${name}`, async () => {
      await tell({ [name]: "1.0.0" });
      expect(await poll()).to.have.property("deploymentBase");
      await closeAction(1);
      await poll();
      expect(await outcomeOf(legacy.server, "gw-1")).to.equal("validated");
      expect((await tell({ [name]: "1.0.0" })).statusCode).to.equal(200);
      expect(await shown()).to.include({ current_version: "1.0.0", current_build: 0 });
      expect(await outcomeOf(legacy.server, "gw-1")).to.equal("WENT_BACK");
      const rollout = (await legacy.server.admin("GET", "/api/rollouts/1")).json();
      expect(rollout).to.deep.include({ state: "paused" });
      expect(rollout.reason).to.contain("1 of 1 device rolled back");
    });
  }

  it("does not make an update repeat for ever, if it never changes", async () => {
    await tell({ version: "1.0.0" });
    await legacy.server.admin("POST", "/api/rollouts/1/cancel");
    const made = await legacy.upload(Buffer.from("next".repeat(100)), { version: "3.0.0" });
    let installCount = 0;
    for (let minute = 0; minute < 100; minute++) {
      legacy.server.nowMs += MINUTE;
      const { deploymentBase } = await poll();
      if (!deploymentBase) continue;
      installCount++;
      await closeAction(Number(deploymentBase.href.split("/").at(-1)));
      await poll();
      expect(await legacy.server.lastAttempt()).to.include({ status: "success" });
      await tell({ version: "1.0.0" });
      expect(await legacy.server.lastAttempt()).to.include({ status: "failed", error_code: "ROLLED_BACK" });
    }
    expect(installCount).to.equal(3);
    const why = (await legacy.server.admin("GET", "/api/devices/gw-1/why")).json();
    expect(why.summary, `firmware ${made.json().id}`).to.contain("was rolled back 3 times on this device");
  });

  it("ends the action, without any feedback", async () => {
    await tell({ version: "1.0.0" });
    await poll();
    await tell({ version: "v2.0.0" });
    expect(await legacy.server.lastAttempt()).to.include({ id: 1, status: "success", step: "reported" });
    expect(await poll()).not.to.have.property("deploymentBase");
    expect(await outcomeOf(legacy.server, "gw-1")).to.equal("validated");
  });

  it("has no build, so that of the action counts", async () => {
    await tell({ version: "1.0.0" });
    await poll();
    await closeAction(1);
    await poll();
    await tell({ version: "2.0.0" });
    expect(await shown()).to.include({ current_version: "2.0.0", current_build: 4 });
    expect(await outcomeOf(legacy.server, "gw-1")).to.equal("validated");
  });

  it("disproves a claim that is two minutes old", async () => {
    await tell({ version: "1.0.0" });
    await poll();
    await closeAction(1);
    legacy.server.nowMs += 3 * MINUTE;
    await tell({ version: "1.0.0" });
    expect(await legacy.server.lastAttempt()).to.include({ error_code: "CLAIM_DISPROVED" });
  });

  it("says nothing where it is absent, or a word, once a version is known", async () => {
    await tell({ version: "nightly" });
    expect(await shown()).to.include({ current_version: "nightly" });
    await tell({ version: "2.0.0+4" });
    for (const data of [{}, { hw: "b" }, { version: "nightly" }, { version: "not a version" }]) {
      await tell(data);
      expect((await shown()).current_version, JSON.stringify(data)).to.equal("2.0.0+4");
    }
    expect(await poll()).to.deep.equal({});
  });
});

describe("a device that sends a hash", () => {
  let legacy: LegacyServer;
  const check = (current_version: string, image_sha256: string) =>
    legacy.server.app.inject({
      method: "POST",
      url: "/api/ota/check",
      payload: { device_id: "box-1", device_type: "box", current_version, current_build: 0, image_sha256 },
    });
  beforeEach(async () => {
    legacy = await LegacyServer.open("box");
  });
  afterEach(() => legacy.close());

  for (const [what, image] of [
    ["has none", Buffer.from("no image of an ESP32")],
    ["has another, because its client hashes something else", arduinoImage("x")],
  ] as const) {
    it(`succeeds by its version where the firmware ${what}`, async () => {
      const { id } = (await legacy.upload(image, { version: "2.0.0" })).json();
      await check("1.0.0", "1".repeat(64));
      await legacy.server.status({ device_id: "box-1", firmware_id: id, status: "installing" });
      await check("v2.0.0", "2".repeat(64));
      expect(await legacy.server.lastAttempt()).to.include({ status: "success", step: "reported" });
    });
  }

  it("has not installed again what it runs before it says so", async () => {
    const { server } = legacy;
    const { id, image_sha256 } = (await legacy.upload(arduinoImage("x"), { version: "2.0.0" })).json();
    await startRollout(server, id, { force: "reinstall" });
    const again = async (slot_state: object) => {
      const me = { device_id: "box-1", device_type: "box", current_version: "2.0.0", current_build: 0 };
      const payload = { ...me, image_sha256, ...slot_state };
      const answer = await server.app.inject({ method: "POST", url: "/api/ota/check", payload });
      server.nowMs += 2 * MINUTE;
      return answer.json().update_available;
    };
    for (const state of [{}, { slot_state: "undefined" }, { slot_state: "valid" }]) {
      for (let n = 0; n < 3; n++) expect(await again(state), JSON.stringify(state)).to.equal(true);
      expect(await server.lastAttempt()).to.include({ id: 1, status: "pending" });
      expect(await outcomeOf(server, "box-1")).to.equal(null);
    }
    await server.status({ device_id: "box-1", firmware_id: id, status: "success" });
    expect(await again({ slot_state: "valid" })).to.equal(false);
    expect(await server.lastAttempt()).to.include({ id: 1, status: "success" });
    expect(await outcomeOf(server, "box-1")).to.equal("validated");
  });

  it("has claimed in vain if both the old image and the old version run", async () => {
    const { id } = (await legacy.upload(arduinoImage("x"), { version: "2.0.0" })).json();
    await check("1.0.0", "1".repeat(64));
    await legacy.server.status({ device_id: "box-1", firmware_id: id, status: "success" });
    legacy.server.nowMs += 3 * MINUTE;
    await check("1.0.0", "1".repeat(64));
    const { logs } = (await legacy.server.admin("GET", "/api/ota/admin/logs?status=failed")).json();
    expect(logs[0]).to.include({ error_code: "CLAIM_DISPROVED" });
  });

  it("may claim its success with its hash, whatever its boot loader says of the slot", async () => {
    const { id, image_sha256 } = (await legacy.upload(arduinoImage("x"), { version: "2.0.0" })).json();
    await check("1.0.0", "1".repeat(64));
    const claim = { device_id: "box-1", firmware_id: id, status: "success" } as const;
    const wrong = await legacy.server.status({ ...claim, image_sha256: "3".repeat(64) });
    expect(wrong.json()).to.include({ error: "NOT_PROVEN" });
    const taken = await legacy.server.status({ ...claim, image_sha256, slot_state: "undefined" });
    expect(taken.json()).to.include({ status: "installing" });
    await check("1.0.0", image_sha256);
    expect(await legacy.server.lastAttempt()).to.include({ status: "success", step: "reported" });
  });
});

describe("an image that is known by its hash", () => {
  let legacy: LegacyServer;
  const ask = (image_sha256: string, headers: Record<string, string> = {}) =>
    legacy.server.app.inject({
      url: "/api/arduino/sketch",
      headers: {
        "x-esp32-sta-mac": "24:6F:28:AA:BB:CC",
        "x-esp32-sketch-sha256": image_sha256,
        "x-esp32-mode": "sketch",
        ...headers,
      },
    });
  beforeEach(async () => {
    legacy = await LegacyServer.open("sketch");
  });
  afterEach(() => legacy.close());

  for (const [what, headers] of [
    ["states none", {}],
    ["states an old one for ever", { "x-esp32-version": "1.0.0" }],
  ] as const) {
    it(`runs that release's version, although its sketch ${what}`, async () => {
      await legacy.upload(arduinoImage("a"), { version: "1.1.0" });
      const { image_sha256 } = (await legacy.upload(arduinoImage("b"), { version: "1.2.0" })).json();
      expect((await ask(OTHER_IMAGE, headers)).statusCode).to.equal(200);
      for (let n = 0; n < 3; n++) expect((await ask(image_sha256, headers)).statusCode).to.equal(304);
      expect(await legacy.server.lastAttempt()).to.include({ firmware_id: 2, status: "success" });
      const why = (await legacy.server.admin("GET", "/api/devices/24:6F:28:AA:BB:CC/why")).json();
      expect(why.summary).to.contain("up to date: it runs 1.2.0");
    });
  }
});
