// Uploads: an image is staged by one request, and installed by another that looks at its peer first.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { RequestHead } from "../../../../firmware/core/event.js";
import { Download } from "../download.js";
import { IMAGE, PEER } from "../events.js";
import { BEARER, Device, HOST, JSON_TYPE } from "../local-device.js";
import { STAGED } from "../update-phases.js";

const RELEASE = new Download({ sizeBytes: 8_192, listsChunks: false }).release;
const FORM_TYPE = "multipart/form-data; boundary=b";
const FORM_HEAD = '--b\r\nContent-Disposition: form-data; name="f"; filename="x.bin"\r\n\r\n';

const upload = (device: Device, headers: RequestHead["headers"] = {}, connection = 7): readonly Effect[] =>
  device.on(
    {
      type: "pushRequested",
      connection,
      head: {
        method: "POST",
        path: "/api/ota/upload",
        headers: { host: HOST, authorization: BEARER, "content-length": "8192", ...headers },
      },
    },
    device.at,
  ).effects;

const answerIn = (effects: readonly Effect[]) => {
  const found = effects.find((effect) => effect.type === "answerPush" || effect.type === "respond");
  const response = found && "response" in found ? found.response : undefined;
  return response && { status: response.status, ...JSON.parse(response.body) };
};
const verifying = (effects: readonly Effect[]) =>
  effects.flatMap((effect) => (effect.type === "verifySignature" ? [effect.manifest] : []));

const unsigned = () => Device.joined({ "push.unsigned": "1" });
/** Something is staged, as if it had been uploaded. */
function staged(changes: object = {}): Device {
  const device = Device.joined();
  const one = { ...STAGED, from: "push", ...changes } as const;
  device.state = { ...device.state, update: { ...device.state.update, staged: one } };
  return device.on({ type: "stagedChanged", staged: one });
}

describe("an upload", () => {
  it("needs the owner's token", () => {
    for (const authorization of [undefined, "Bearer wrong", "Basic x"]) {
      const effects = upload(unsigned(), authorization === undefined ? {} : { authorization });
      if (authorization === undefined) expect(answerIn(effects)).equal(undefined);
      else expect(answerIn(effects)?.success).equal(false);
    }
    const { effects } = unsigned().on({
      type: "pushRequested",
      connection: 7,
      head: { method: "POST", path: "/api/ota/upload", headers: { "content-length": "10" } },
    });
    expect(answerIn(effects)).include({ status: 401, success: false });
  });

  it("without a release is taken only where the owner accepts unsigned images", () => {
    expect(answerIn(upload(Device.joined()))).include({ status: 403, success: false });
    expect(upload(unsigned()).map(({ type }) => type)).include("continuePush");
  });

  it("takes the release that was sent before it, once, and for ten minutes", () => {
    const device = Device.joined();
    const given = device.post("/api/ota/release", { release: RELEASE });
    expect(given.status).equal(202);
    expect(verifying(upload(device))).deep.equal([RELEASE]);
    const another = Device.joined();
    another.post("/api/ota/release", { release: RELEASE });
    another.at += 600_000;
    expect(answerIn(upload(another)), "too late").include({ status: 403 });
    const twice = Device.joined();
    twice.post("/api/ota/release", { release: RELEASE });
    upload(twice);
    expect(twice.state.push.release).equal(undefined);
  });

  it("takes no release from someone without the token, and none that is too long", () => {
    const device = Device.joined();
    const anonymous = { authorization: undefined };
    expect(device.post("/api/ota/release", { release: RELEASE }, anonymous).status).equal(401);
    expect(device.state.push.release).equal(undefined);
    for (const release of ["x".repeat(1537), "", 7])
      expect(device.post("/api/ota/release", { release }).status).equal(400);
    expect(device.state.push.release).equal(undefined);
  });

  it("does not lend that release to a push to /update, which would install it at once", () => {
    const device = Device.joined();
    device.post("/api/ota/release", { release: RELEASE });
    const head = {
      method: "POST",
      path: "/update",
      headers: { authorization: BEARER, "content-length": "10" },
    };
    const { effects } = device.on({ type: "pushRequested", connection: 7, head });
    expect(effects).deep.nested.property("[0].response.status", 403);
  });

  it("as a form is the file in it", () => {
    const device = unsigned();
    const bytes = new TextEncoder().encode(FORM_HEAD);
    expect(upload(device, { "content-type": FORM_TYPE })).deep.equal([
      { type: "continuePush", connection: 7 },
    ]);
    device.on({ type: "pushReadable", connection: 7, count: 3_000 });
    let position = 0;
    for (;;) {
      const [effect] = device.effects;
      if (effect?.type !== "readPush") break;
      const piece = bytes.slice(position, position + effect.maxBytes);
      position += piece.length;
      device.on({ type: "pushData", connection: 7, bytes: piece });
    }
    expect(position, "not a byte of the file").equal(bytes.length);
    expect(device.effects.map(({ type }) => type)).include("continuePush");
    const { update } = device.state;
    if (!("job" in update)) throw new Error(`phase ${update.phase}`);
    expect(update.job).include({ hold: true });
    expect(update.job.release.size).equal(8192 - bytes.length - "\r\n--b--\r\n".length);
    expect(device.state.push.form).equal(undefined);
  });

  it("as a form whose body ends before its file begins is refused as soon as that is certain", () => {
    const device = unsigned();
    upload(device, { "content-type": FORM_TYPE, "content-length": "4" });
    device.on({ type: "pushReadable", connection: 7, count: 4 });
    expect(answerIn(device.effects)).include({ status: 400, success: false });
    expect(device.state.push.form).equal(undefined);
  });

  it("as a form that is none is refused, and one that sends nothing gives way to the next", () => {
    const device = unsigned();
    upload(device, { "content-type": FORM_TYPE });
    const effects = upload(device, { "content-type": FORM_TYPE }, 8);
    expect(answerIn(effects)).include({ status: 408 });
    device.on({ type: "pushReadable", connection: 8, count: 100 });
    device.on({ type: "pushData", connection: 8, bytes: new Uint8Array([0xe9, 3, 2, 0, 1]) });
    expect(answerIn(device.effects)).include({ status: 400, success: false });
    upload(device, { "content-type": FORM_TYPE }, 9);
    device.on({ type: "pushClosed", connection: 9 });
    expect(device.state.push.form).equal(undefined);
    expect(answerIn(upload(device, { "content-type": "multipart/form-data" }))).include({ status: 400 });
  });
});

describe("POST /api/ota/install", () => {
  it("answers 404 where nothing is staged", () => {
    const answer = Device.joined().post("/api/ota/install");
    expect(answer.status).equal(404);
    expect(JSON.parse(answer.body)).include({ success: false, message: "No firmware uploaded" });
  });

  it("needs the owner's token, and with it no content type", () => {
    const device = staged();
    expect(device.post("/api/ota/install", {}, { authorization: undefined }).status).equal(401);
    device.on({
      type: "requestReceived",
      connection: 3,
      method: "POST",
      path: "/api/ota/install",
      host: HOST,
      body: "",
      authorization: BEARER,
    });
    expect(device.effects.map(({ type }) => type)).include("hashSlot");
  });

  /** Asks, and carries the proof of the slot out. */
  function installed(device: Device, path = "/api/ota/install", digest = "d") {
    device.on({
      type: "requestReceived",
      connection: 3,
      method: "POST",
      path,
      host: HOST,
      body: "{}",
      contentType: JSON_TYPE,
      authorization: BEARER,
    });
    const first = answerIn(device.effects);
    if (first) return first;
    const bytes = Uint8Array.from({ length: 32 }, () => Number.parseInt(`${digest}${digest}`, 16));
    const { attempt } = device.state.update;
    device.on({ type: "slotHashed", attempt, offset: 0, digest: bytes });
    if (device.effects.some(({ type }) => type === "armSlot"))
      device.on({ type: "slotArmed", attempt: device.state.update.attempt });
    return answerIn(device.effects);
  }

  it("answers when the slot is armed, and restarts two seconds later", () => {
    const device = staged();
    expect(installed(device)).include({ status: 200, success: true, restartsInMs: 2_000 });
    expect(device.effects).deep.include({ type: "setTimer", timer: "restart", delayMs: 2_000 });
    expect(device.on({ type: "timerFired", timer: "restart" }).done).deep.equal(["restart"]);
  });

  it("says why the image cannot be installed", () => {
    const answer = installed(staged(), undefined, "1");
    expect(answer).include({ status: 500, success: false });
    expect(answer?.message).include("spoilt");
  });

  it("is refused while it is under way", () => {
    const device = staged();
    const ask = () => device.post("/api/ota/install");
    expect(ask).throw("answers to POST");
    expect(ask().status).equal(409);
  });

  const peer = { ...PEER, version: "1.0.0", number: 10_000, protocol: 2, minCompatible: 10_100 };
  const misfits: readonly (readonly [string, object, string])[] = [
    ["speaks another protocol", { protocolVersion: 1 }, "speaks protocol 1"],
    ["is too old for the peer", { protocolVersion: 2, version: "1.0.9" }, "10100 or newer"],
    ["needs a newer peer", { protocolVersion: 2, minCompatible: "1.0.1" }, "works with 1.0.1 or newer"],
  ];
  for (const [what, changes, message] of misfits)
    it(`refuses an image that ${what}, unless it is told to`, () => {
      const device = staged({ version: "1.1.0", ...changes }).on(peer);
      const answer = installed(device);
      expect(answer).include({ status: 409, success: false, code: "PEER_INCOMPATIBLE" });
      expect(answer?.message).include(message);
      expect(installed(device, "/api/ota/install?force=1")).include({ status: 200 });
    });

  it("installs an image that fits the peer, and one of whose peer nothing is known", () => {
    const fits = { version: "1.1.0", protocolVersion: 2, minCompatible: "1.0.0" };
    expect(installed(staged(fits).on(peer))).include({ status: 200 });
    const unheard = { ...peer, version: "", number: 0, protocol: 0, minCompatible: 0 };
    expect(installed(staged({ protocolVersion: 1 }).on(unheard))).include({ status: 200 });
    const silent = { ...fits, protocolVersion: undefined, minCompatible: undefined };
    expect(installed(staged(silent).on(peer)), "the image says nothing").include({ status: 200 });
  });
});

describe("the rest of an upload", () => {
  it("is given up on request", () => {
    const device = staged();
    expect(device.post("/api/ota/abandon").status).equal(200);
    expect(device.state.update.staged).equal(undefined);
    expect(device.state.localApi.staged).equal(undefined);
    expect(device.post("/api/ota/abandon").status).equal(404);
  });

  it("is shown with the version", () => {
    expect(staged().get("/api/version").staged).deep.equal({
      version: "1.1.0",
      build: 0,
      size: 100_000,
      imageSha256: "c".repeat(64),
      from: "push",
    });
    expect(Device.joined().get("/api/version").staged).equal(null);
  });

  it("rolls back under its second name, too", () => {
    expect(() => Device.joined().post("/api/ota/rollback")).throw("answers to POST");
    expect(staged().post("/api/ota/rollback").status).equal(409);
  });
});

describe("what the clients of a pair read", () => {
  const receiver = (changes: object = {}) =>
    Device.joined({}, { image: { ...IMAGE, compileDate: "Nov 21 2026", compileTime: "12:00:00" } }).on({
      ...PEER,
      ...changes,
    });

  it("is not there without a peer", () => {
    const version = Device.joined().get("/api/version");
    expect(version.peer).equal(null);
    for (const name of ["device", "firmware_version", "transmitter_version"])
      expect(version).not.property(name);
    const health = Device.joined().get("/api/health");
    expect(health.status).equal("degraded");
    expect(health).not.property("espnow_connected");
  });

  it("has their names in /api/version", () => {
    const version = receiver().get("/api/version");
    expect(version).include({
      device: "base",
      firmware_version: "1.0.0",
      firmware_version_number: 10_000,
      protocol_version: 1,
      min_compatible: 0,
      build_date: "Nov 21 2026",
      build_time: "12:00:00",
      transmitter_version: PEER.version,
      transmitter_compatible: PEER.isCompatible,
    });
    expect(version.peer).include({ version: PEER.version, number: PEER.number });
  });

  it("has their names in /api/health, and is healthy while the peer is heard and fits", () => {
    const health = receiver({ isConnected: true, isCompatible: true }).get("/api/health");
    expect(health).include({
      status: "healthy",
      device: "base",
      firmware_version: "1.0.0",
      uptime: 61,
      free_heap: 100_000,
      espnow_connected: true,
      wifi_connected: true,
      mqtt_connected: false,
    });
    const warned = receiver({ isConnected: true, isCompatible: false, warning: "It is too old." });
    expect(warned.get("/api/health")).deep.include({ status: "degraded", errors: ["It is too old."] });
  });

  it("says whether the app's broker is connected, and the processor's clock", () => {
    const device = Device.joined({}, { cpuMhz: 160 }).on(PEER);
    expect(device.get("/api/health")).include({ cpu_freq_mhz: 160, mqtt_connected: false });
    device.on({ type: "brokerStatus", isConnected: true });
    expect(device.get("/api/health")).include({ mqtt_connected: true });
    device.on({ type: "brokerStatus", isConnected: false });
    expect(device.get("/api/health")).include({ mqtt_connected: false });
  });

  it("names the protocol of the build", () => {
    const build = {
      ...Device.joined().state.localApi.boot!.build,
      protocolVersion: 3,
      minCompatible: "2.1.0",
    };
    const device = Device.joined({}, { build }).on(PEER);
    expect(device.get("/api/version")).include({
      protocolVersion: 3,
      minCompatible: "2.1.0",
      protocol_version: 3,
      min_compatible: 20_100,
    });
  });
});
