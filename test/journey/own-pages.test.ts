import { expect } from "chai";
import { HOME, OWNER_TOKEN } from "../../host-sim/desk/desk.js";
import { Phone } from "../../host-sim/network/phone.js";
import { type Rig, setUpRig } from "./rig.js";

const HOUR_MS = 3_600_000;
const JSON_HEADERS = Object.freeze({ "content-type": "application/json" });
const OWNER_HEADERS = Object.freeze({ ...JSON_HEADERS, authorization: `Bearer ${OWNER_TOKEN}` });

describe("the journey's own pages", () => {
  let rig: Rig;
  let phone: Phone;
  afterEach(() => rig.close());

  /** The device has joined and its portal has closed; a second phone is in the home network. */
  async function settled(): Promise<string> {
    rig = await setUpRig();
    const { world, device, network } = rig.desk;
    device.powerOn();
    await world.runUntil(() => rig.reports.some(({ status }) => status === "success"), { limitMs: HOUR_MS });
    await world.runFor(90_000);
    phone = new Phone({ world, network, name: "tablet", mac: "02:00:00:00:00:77" });
    await done(phone.join(HOME.ssid, HOME.password));
    return rig.trace.join("\n").match(/address (\d+\.\d+\.\d+\.\d+)/)![1]!;
  }

  /** Runs the world until a promise of the phone has settled. */
  async function done<T>(promise: Promise<T>): Promise<T> {
    let isOver = false;
    const over = () => {
      isOver = true;
    };
    promise.then(over, over);
    await rig.desk.world.runUntil(() => isOver, { limitMs: 60_000 });
    return promise;
  }

  it("show a phone in the home network what runs and its health", async () => {
    const address = await settled();
    const version = JSON.parse((await done(phone.get("/api/version", address))).text);
    expect(version).include({
      type: "base",
      version: "1.1.0",
      versionNumber: 10_100,
      slot: "ota_0",
      chip: "esp32",
    });
    const health = JSON.parse((await done(phone.get("/api/health", address))).text);
    expect(health).include({ status: "ok", version: "1.1.0" });
    expect(health.link).include({ state: "online", address, setupPortal: false, server: "reached" });
    expect((await done(phone.get("/", address))).text).match(/^<!doctype html>/);
  });

  it("accept changes from the home network only with the token from the setup", async () => {
    const address = await settled();
    const post = (path: string, body: object, headers: Readonly<Record<string, string>>) =>
      done(phone.post(path, JSON.stringify(body), address, { headers }));
    expect(JSON.parse((await done(phone.get("/api/settings", address))).text).hasToken).equal(true);
    for (const path of [
      "/api/settings",
      "/api/token",
      "/api/restart",
      "/api/rollback",
      "/api/factory-reset",
    ]) {
      expect((await post(path, { token: "a-neighbour" }, JSON_HEADERS)).status, path).equal(401);
      await rig.desk.world.runFor(30_000); // guesses are slowed down
      const guessed = { ...JSON_HEADERS, authorization: "Bearer a-neighbour" };
      expect((await post(path, { token: "a-neighbour" }, guessed)).status, path).equal(403);
    }
    await rig.desk.world.runFor(30_000);
    expect((await post("/api/token", { token: "a-new-token-9" }, OWNER_HEADERS)).status).equal(200);
    expect((await post("/api/settings", {}, OWNER_HEADERS)).status).equal(403);
  });

  it("accept a first token in the home network only after a power cycle", async () => {
    const address = await settled();
    const { device, world } = rig.desk;
    expect(device.machine?.nvs?.erase("skyslot", "push.token")).equal("ESP_OK");
    const set = () =>
      done(phone.post("/api/token", '{"token":"first-of-all-1"}', address, { headers: JSON_HEADERS }));
    device.powerOff();
    device.powerOn();
    await world.runFor(11 * 60_000);
    expect((await set()).status).equal(403);
    device.powerOff();
    device.powerOn();
    await world.runFor(60_000);
    expect((await set()).status).equal(200);
    expect((await set()).status).equal(401);
  });

  it("let an owner who has lost the token reset the device: router off, power cycle, setup network", async () => {
    rig = await setUpRig({ manual: true });
    const { device, world, home, network, person } = rig.desk;
    phone = new Phone({ world, network, name: "tablet", mac: "02:00:00:00:00:77" });
    const portal = () => phone.visibleSsids().find((ssid) => ssid.startsWith("Skyslot "));
    device.powerOn();
    await world.runUntil(() => portal() !== undefined, { limitMs: HOUR_MS });
    await done(person.setUp(portal()!));
    await world.runFor(120_000);
    device.powerOff();
    home.setUp(false);
    await world.runFor(1_000);
    device.powerOn();
    const pluggedInMs = world.nowMs;
    await world.runUntil(() => portal() !== undefined, { limitMs: HOUR_MS });
    expect(world.nowMs - pluggedInMs, "time until the portal opens").below(5 * 60_000);
    await done(phone.join(portal()!));
    const post = (path: string) =>
      done(phone.post(path, '{"token":"a-neighbour"}', undefined, { headers: JSON_HEADERS }));
    expect((await post("/api/token")).status).equal(401);
    expect((await done(phone.get("/api/saved-networks"))).status).equal(401);
    expect((await post("/api/factory-reset")).status).equal(202);
    await world.runFor(5_000);
    expect(device.machine?.nvs?.get("skyslot", "push.token").error).equal("ESP_ERR_NVS_NOT_FOUND");
    expect(device.machine?.nvs?.get("skyslot", "networks").error).equal("ESP_ERR_NVS_NOT_FOUND");
  });

  it("are reachable again after the router was away", async () => {
    const address = await settled();
    const { home, world } = rig.desk;
    home.setUp(false);
    await world.runFor(5_000);
    home.setUp(true);
    await world.runFor(120_000);
    await done(phone.join(HOME.ssid, HOME.password));
    expect((await done(phone.get("/api/health", address))).status).equal(200);
  });

  it("keep a changed setting over a restart", async () => {
    const address = await settled();
    const post = (path: string, body: string) =>
      done(phone.post(path, body, address, { headers: OWNER_HEADERS }));
    expect((await post("/api/settings", '{"deviceName":"Hall lamp","checkSeconds":600}')).status).equal(200);
    expect((await post("/api/restart", "{}")).status).equal(202);
    await rig.desk.world.runFor(60_000);
    expect(rig.events.filter(({ type }) => type === "booted").length).equal(3);
    const settings = JSON.parse((await done(phone.get("/api/settings", address))).text);
    expect(settings).include({ deviceName: "Hall lamp", checkSeconds: 600 });
  });

  it("roll back to the image before", async () => {
    const address = await settled();
    expect((await done(phone.post("/api/rollback", "{}", address, { headers: OWNER_HEADERS }))).status).equal(
      202,
    );
    await rig.desk.world.runFor(5_000);
    expect(rig.desk.device.running?.label).equal("factory");
    // the server keeps offering it, but its owner has rejected it
    await rig.desk.world.runFor(900_000);
    expect(rig.desk.device.running?.label).equal("factory");
    const again = await done(phone.post("/api/rollback", "{}", address, { headers: OWNER_HEADERS }));
    expect(again.status).equal(409);
  });

  it("take the device back to its factory settings, and so to its portal", async () => {
    const address = await settled();
    await done(phone.post("/api/factory-reset", "{}", address, { headers: OWNER_HEADERS }));
    const from = rig.trace.length;
    await rig.desk.world.runFor(5_000);
    expect(rig.trace.slice(from).join("\n")).match(/setup portal open/);
    expect(rig.desk.device.running?.label).equal("ota_0");
  });
});
