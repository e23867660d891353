// The device's own API as clients in its home network see it, through the complete device. Who may do what: guard.test.ts.

import { expect } from "chai";
import type { Section } from "../../../../firmware/core/section.js";
import { BOOTED, IMAGE } from "../events.js";
import { BEARER, Device, HOST, JSON_TYPE } from "../local-device.js";
import { ASKING_ROOT, ROOT, rootText } from "../roots.js";
import { STAGED } from "../update-phases.js";

const ROLL_BACK = {
  type: "requestReceived",
  connection: 3,
  method: "POST",
  path: "/api/rollback",
  host: HOST,
  body: "{}",
  contentType: JSON_TYPE,
  authorization: BEARER,
} as const;

describe("the local api", () => {
  it("returns what the device is", () => {
    expect(Device.joined().get("/api/version")).include({
      deviceId: "base-0000a1",
      type: "base",
      version: "1.0.0",
      versionNumber: 10_000,
      slot: "factory",
      chip: "esp32",
      hardware: "esp32",
      uptimeSeconds: 61,
      freeHeapBytes: 100_000,
      peer: null,
    });
  });

  it("returns its health, and the last error", () => {
    const device = Device.joined();
    expect(device.get("/api/health")).deep.include({ status: "degraded", lastError: null });
    expect(device.get("/api/health").link).include({ state: "online", rssi: -50, setupPortal: false });
    device.on({ type: "appFailed", message: "Error: invalid pin" }, 3_000);
    expect(device.get("/api/health").lastError).deep.equal({
      code: "APP_FAILED",
      message: "the app failed: Error: invalid pin",
      atSeconds: 3,
    });
    device.on({ type: "updateFailed", code: "HTTP_STATUS", message: "the server answered 503" }, 5_000);
    expect(device.get("/api/health").lastError).deep.equal({
      code: "HTTP_STATUS",
      message: "the server answered 503",
      atSeconds: 5,
    });
    expect(device.on({ type: "serverReached" }).get("/api/health").status).equal("ok");
  });

  it("takes the next trust root from its owner, and in the setup network from anyone", () => {
    const build = { ...BOOTED.build, root: rootText() };
    const next = rootText({ ...ROOT, version: 2 });
    const device = Device.joined({}, { build });
    const send = { contentType: JSON_TYPE, body: next };
    expect(device.request("POST", "/api/root", send).status).equal(401);
    expect(
      device.request("POST", "/api/root", { ...send, origin: "http://evil.test", authorization: BEARER })
        .status,
    ).equal(403);
    expect(device.state.update.phase).equal("idle");
    const given = (to: Device, authorization?: string) =>
      to.on({
        type: "requestReceived",
        connection: 3,
        method: "POST",
        path: "/api/root",
        host: HOST,
        ...send,
        authorization,
      }).state.update.phase;
    expect(given(device, BEARER)).equal("verifyingRoot");
    for (let count = 0; count < 2; count++) {
      const { attempt } = device.state.update;
      device.on({ type: "signatureVerified", attempt, good: true });
    }
    const [answer] = device.effects.filter((effect) => effect.type === "respond");
    expect(answer?.response.status).equal(200);
    expect(device.get("/api/version").trust).include({ rootVersion: 2 });
    expect(given(Device.joined({}, { build }).loseRouter())).equal("verifyingRoot");
    expect(Device.joined({}, { build }).post("/api/root", {}).status, "which is none").equal(422);
  });

  it("says that it is frozen, shows it by its light, and works on", () => {
    const build = { ...BOOTED.build, root: rootText(ASKING_ROOT) };
    const since = 1_700_000_000;
    const device = Device.joined({ "trust.fresh": `${since}` }, { build });
    const trust = () => device.get("/api/version").trust;
    expect(trust()).include({ rootVersion: 1, frozen: false, freshSince: since });
    expect(device.get("/api/health").problems).deep.equal([]);
    device.on({ type: "timerFired", timer: "check" });
    expect(trust()).include({ frozen: true, freshSince: since });
    expect(device.get("/api/health").problems[0].code).equal("FROZEN");
    expect(device.state.status.name).equal("warning");
    expect(device.state.update.phase).equal("checking");
    expect(Device.joined().get("/api/version").trust).not.have.property("frozen");
  });

  // The kind: a fact that was read when the device booted, and changes while it runs.
  it("says what is true now, not what was true at the boot", () => {
    for (const torn of [{}, { stateTorn: true }] as const) {
      const image = { ...IMAGE, slotState: "pending_verify", ...torn } as const;
      const device = Device.joined({}, { image });
      expect(device.get("/api/version").slotState).equal("pending_verify");
      device
        .on({ type: "serverReached" })
        .on({ type: "timerFired", timer: "trial" })
        .on({ type: "markedValid" });
      expect(device.get("/api/version").slotState, "right after the validation").equal("valid");
    }
    const device = Device.joined().on({ type: "serverReached" });
    expect(device.get("/api/health")).deep.include({ status: "ok" });
    device.on({ type: "serverMissed" });
    expect(device.get("/api/health"), "its server does not answer any more").deep.include({
      status: "degraded",
    });
    expect(device.get("/api/health").link).include({ server: "not-reached" });
    device.post("/api/settings", { deviceName: "Kitchen" });
    expect(device.get("/api/version").name).equal("Kitchen");
    device.on({ type: "online", address: "192.168.1.99", rssi: -70 });
    expect(device.get("/api/health").link).include({ address: "192.168.1.99", rssi: -70 });
  });

  it("returns the last roll back with its reason, until a good update came", () => {
    const record = { firmwareId: 7, version: "1.1.0", build: 0, imageSha256: "c".repeat(64), slot: "ota_0" };
    const install = JSON.stringify({ ...record, powerLosses: 0, armed: true });
    const facts = {
      resetReason: "task-watchdog",
      target: { label: "ota_0", sizeBytes: 0x200000, state: "aborted" },
    } as const;
    const device = Device.joined({ install }, facts);
    const lastRollBack = {
      version: "1.1.0",
      code: "ROLLED_BACK",
      reason: "the new firmware hung during its trial run (task watchdog)",
    };
    expect(device.get("/api/health").lastRollBack).deep.equal(lastRollBack);
    const [report] = device.state.report.queue;
    device.on({ type: "reportTaken", report: report! });
    expect(device.get("/api/health").lastRollBack, "read by the server").deep.equal(lastRollBack);
    device.on({ type: "trialPassed" });
    expect(device.get("/api/health").lastRollBack).equal(null);
    expect(Device.joined().get("/api/health").lastRollBack).equal(null);
  });

  it("never reveals a password or the token", () => {
    const device = Device.joined();
    const all = ["/api/version", "/api/health", "/api/settings", "/api/saved-networks", "/"].map(
      (path) => device.request("GET", path, { authorization: BEARER }).body,
    );
    expect(all.length).equal(5);
    expect(all.join()).not.match(/secret password|owner-token-1/);
    expect(device.get("/api/settings").hasToken).equal(true);
  });

  it("serves the status page, which may reach its own push port only", () => {
    const page = Device.joined().request("GET", "/");
    expect(page.body).equal("<!doctype html>status");
    expect(page.headers["content-security-policy"]).include(`connect-src 'self' http://${HOST}:3232;`);
    const foreign = Device.joined().request("GET", "/", { host: "evil.example" });
    expect(foreign.headers["content-security-policy"]).include("connect-src 'self';");
  });

  it("serves the setup page to phones at the access point while the portal is open", () => {
    const device = Device.joined().loseRouter();
    expect(device.request("GET", "/", { host: "192.168.4.1" }).body).equal(BOOTED.setupPage);
    expect(device.request("GET", "/settings", { host: "192.168.4.1" }).body).equal("<!doctype html>status");
    expect(device.request("GET", "/settings", { host: "captive.apple.com" }).status).equal(302);
    expect(device.request("GET", "/api/version", { host: "captive.apple.com" }).status).equal(302);
    expect(device.request("GET", "/api/version", { host: "192.168.4.1" }).status).equal(200);
  });

  describe("with a change", () => {
    const CHANGE = { server: "http://10.0.0.2:8080/", checkSeconds: 60, deviceName: " Lamp " };

    it("stores what is valid, and uses it at once", () => {
      const device = Device.joined();
      expect(device.post("/api/settings", CHANGE).status).equal(200);
      expect(device.done).deep.equal(["store server", "store check.seconds", "store device.name"]);
      expect(device.state.update).include({ server: "http://10.0.0.2:8080", checkSeconds: 60 });
      expect(device.state.portal.info.deviceName).equal("Lamp");
      expect(device.get("/api/settings")).include({
        ...CHANGE,
        server: "http://10.0.0.2:8080",
        deviceName: "Lamp",
      });
    });

    it("goes back to the build's server when the field is emptied", () => {
      const device = Device.joined({ server: "http://10.0.0.2" });
      device.post("/api/settings", { server: "" });
      expect(device.done).deep.equal(["forget server"]);
      expect(device.state.update.server).equal(BOOTED.build.server);
    });

    for (const [what, value] of [
      ["another scheme", { server: "ftp://x" }],
      ["a server of 201 characters", { server: `http://${"x".repeat(194)}` }],
      ["nine seconds", { checkSeconds: 9 }],
      ["more than a day", { checkSeconds: 86_401 }],
      ["half a second", { checkSeconds: 60.5 }],
      ["seconds as text", { checkSeconds: "60" }],
      ["a name of 41 characters", { deviceName: "n".repeat(41) }],
      ["a name with a line break", { deviceName: "a\nb" }],
      ["a switch that is neither on nor off", { acceptUnsigned: 1 }],
      ["a list", []],
      ["null", null],
    ] as const)
      it(`refuses ${what}, and stores nothing of it`, () => {
        const device = Device.joined();
        const both =
          typeof value === "object" && value && !Array.isArray(value)
            ? { deviceName: "ok", ...value }
            : value;
        expect(device.post("/api/settings", both).status).equal(400);
        expect(device.done).deep.equal([]);
      });
  });

  it("switches unsigned updates on and off, and espota's port with them", () => {
    const device = Device.joined();
    const espota = () => device.effects.find((effect) => effect.type === "startPush")?.espota;
    expect(device.get("/api/settings").acceptUnsigned).equal(false);
    expect(device.post("/api/settings", { acceptUnsigned: true }).status).equal(200);
    expect([device.done, espota()]).deep.equal([["store push.unsigned"], true]);
    expect(device.get("/api/settings").acceptUnsigned).equal(true);
    device.post("/api/settings", { acceptUnsigned: false });
    expect([device.done, espota()]).deep.equal([["forget push.unsigned"], false]);
    expect(device.state.push.acceptUnsigned).equal(false);
  });

  it("changes the token, and no longer accepts the old one", () => {
    const device = Device.joined();
    for (const token of ["1234567", "12345678 9", "x".repeat(65), "", 12345678, undefined])
      expect(device.post("/api/token", { token }).status, `${token}`).equal(400);
    expect(device.post("/api/token", { token: "another-token-2" }).status).equal(200);
    expect(device.done).deep.equal(["store push.token"]);
    expect(device.state.push.token).equal("another-token-2");
    expect(device.post("/api/restart").status).equal(403);
    expect(device.post("/api/restart", {}, { authorization: "Bearer another-token-2" }).status).equal(202);
  });

  describe("with saved networks", () => {
    const stored = { networks: '[["home","a"],["work","b"],["garden","c"]]' };
    const saved = (device: Device) => device.get("/api/saved-networks", { authorization: BEARER }).networks;

    it("lists their names, the one that worked last first", () => {
      const device = Device.joined(stored);
      const free = (ssid: string) => ({ ssid, inUse: false });
      expect(saved(device)).deep.equal([{ ssid: "home", inUse: true }, free("work"), free("garden")]);
      device.on({ type: "wifiLost", attempt: device.state.wifi.attempt, reason: "lost" });
      device.on({ type: "timerFired", timer: "wifi" }).join();
      expect(saved(device)).deep.equal([{ ssid: "work", inUse: true }, free("home"), free("garden")]);
    });

    it("removes one, but not the current one", () => {
      const device = Device.joined(stored);
      expect(device.post("/api/forget-network", { ssid: "home" }).status).equal(409);
      expect(device.done).deep.equal([]);
      expect(device.post("/api/forget-network", { ssid: "work" }).status).equal(200);
      expect(device.effects).deep.include({
        type: "store",
        key: "networks",
        value: '[["home","a"],["garden","c"]]',
      });
      expect(saved(device).length).equal(2);
      for (const body of [{ ssid: "work" }, { ssid: "" }, { ssid: 1 }, [], null])
        expect(device.post("/api/forget-network", body).status).equal(404);
    });
  });

  describe("with an app's settings", () => {
    const section: Section = {
      name: "led",
      title: "Strip",
      fields: [
        { name: "count", label: "Count", type: "number", least: 1, most: 9 },
        { name: "colour", label: "Colour", type: "colour" },
      ],
      defaults: { count: 3, colour: "#ffffff" },
    };

    it("returns fields and values under the section's name", () => {
      const device = Device.joined({ led: '{"count":5}' }, { section });
      expect(device.get("/api/settings").section).equal("led");
      expect(device.get("/api/led")).deep.equal({
        name: "led",
        title: "Strip",
        fields: section.fields,
        values: { count: 5, colour: "#ffffff" },
      });
    });

    it("stores a change as one text under one key, and nothing when nothing changes", () => {
      const device = Device.joined({}, { section });
      expect(JSON.parse(device.post("/api/led", { count: 4 }).body).values).deep.equal({
        count: 4,
        colour: "#ffffff",
      });
      expect(device.effects).deep.include({
        type: "store",
        key: "led",
        value: '{"count":4,"colour":"#ffffff"}',
      });
      device.post("/api/led", { count: 4 });
      expect(device.done).deep.equal([]);
    });

    it("refuses invalid values, and requests without the token", () => {
      const device = Device.joined({}, { section });
      expect(device.post("/api/led", { count: 10 }).status).equal(400);
      expect(device.done).deep.equal([]);
      expect(device.post("/api/led", { count: 4 }, {}).status).equal(401);
      expect(
        device.post("/api/led", { count: 4 }, { authorization: BEARER, host: "evil.example" }).status,
      ).equal(403);
      expect(device.get("/api/led").values.count).equal(3);
      expect(device.request("DELETE", "/api/led").status).equal(405);
    });

    it("has no such path on a device whose app has none", () => {
      expect(Device.joined().get("/api/settings").section).equal(null);
      expect(Device.joined().request("GET", "/api/led").status).equal(404);
    });
  });

  it("answers before it restarts", () => {
    const device = Device.joined();
    expect(device.post("/api/restart").status).equal(202);
    expect(device.done).deep.equal([]);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal([
      "forget unhealthy",
      "restart",
    ]);
  });

  it("erases everything at a factory reset, right before the restart", () => {
    const device = Device.joined();
    device.post("/api/factory-reset");
    expect(device.done).deep.equal([]);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal(["forgetAll", "restart"]);
  });

  it("rolls back only when there is an image to go back to", () => {
    const device = Device.joined();
    expect(device.on(ROLL_BACK).effects).deep.equal([{ type: "checkRollBack", connection: 3 }]);
    const answer = (possible: boolean) => {
      device.on({ type: "rollBackChecked", connection: 3, possible });
      return device.effects.find((effect) => effect.type === "respond")?.response.status;
    };
    expect(answer(false)).equal(409);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal([]);
    expect(answer(true)).equal(202);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal(["store held", "rollBack"]);
  });

  it("does not roll back to an image that is staged in the other slot, which was never tried", () => {
    const device = Device.joined();
    device.on({ type: "stagedChanged", staged: STAGED });
    const answer = device.post("/api/rollback");
    expect(answer.status).equal(409);
    expect(JSON.parse(answer.body)).include({ code: "STAGED" });
    expect(device.effects.map(({ type }) => type)).not.include("checkRollBack");
    device.on({ type: "stagedChanged", staged: undefined });
    expect(device.on(ROLL_BACK).effects).deep.equal([{ type: "checkRollBack", connection: 3 }]);
  });

  it("erases the beginning of a staged image before a factory reset", () => {
    const device = Device.joined();
    device.state = { ...device.state, update: { ...device.state.update, staged: STAGED } };
    device.on({ type: "stagedChanged", staged: STAGED });
    device.post("/api/factory-reset");
    expect(device.effects.find(({ type }) => type === "eraseSlot")).include({ offset: 0 });
    expect(device.state.update.staged).equal(undefined);
  });

  it("refuses other methods, and says which a path has", () => {
    for (const [method, path, allow] of [
      ["DELETE", "/api/settings", "GET, HEAD, POST"],
      ["OPTIONS", "/api/version", "GET, HEAD"],
      ["GET", "/api/restart", "POST"],
    ] as const) {
      const device = Device.joined();
      expect(device.request(method, path).status).equal(405);
      const answer = device.effects.find((effect) => effect.type === "respond");
      expect(answer?.response.headers.allow).equal(allow);
    }
  });

  it("answers HTTP/1.0 without a Host, but not a page of another site without one", () => {
    const device = Device.joined();
    expect(device.request("GET", "/api/version", { host: "" }).status).equal(200);
    expect(device.post("/api/settings", {}, { authorization: BEARER, host: "" }).status).equal(200);
    for (const origin of ["null", "http://evil.example", "http://", ""])
      expect(device.post("/api/settings", {}, { authorization: BEARER, host: "", origin }).status).equal(403);
  });
});
