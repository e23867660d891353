// The device's own API as its owner's network meets it, through the whole device: one request in, one answer out, and what is
// asked of the world besides.

import { expect } from "chai";
import { type DeviceState, initialDevice, step } from "../../../firmware/core/device.js";
import type { Effect, HttpResponse } from "../../../firmware/core/effect.js";
import type { Event } from "../../../firmware/core/event.js";
import { BOOTED, stamped } from "./events.js";

const JOINED = {
  ...BOOTED,
  statusPage: "<!doctype html>status",
  stored: { layout: "1", networks: '[["home","secret password"]]' },
};
const HOST = "base-0000a1.local";
const JSON_TYPE = "application/json";

interface Asked {
  readonly host?: string;
  readonly origin?: string;
  readonly contentType?: string;
  readonly authorization?: string;
  readonly body?: string;
}

class Device {
  state: DeviceState = initialDevice;
  effects: readonly Effect[] = [];

  constructor(stored: Readonly<Record<string, string>> = {}) {
    this.on({ ...JOINED, stored: { ...JOINED.stored, ...stored } });
    this.on({ type: "wifiJoined", attempt: 1, address: "192.168.1.20", rssi: -50 });
  }
  on(event: Event, at = 0): this {
    [this.state, this.effects] = step(this.state, { ...stamped(event), at });
    return this;
  }
  request(method: string, path: string, asked: Asked = {}): HttpResponse {
    this.on({ type: "requestReceived", connection: 3, method, path, host: HOST, body: "", ...asked }, 61_500);
    const answers = this.effects.filter((effect) => effect.type === "respond");
    expect(answers.length, `answers to ${method} ${path}`).equal(1);
    return answers[0]!.response;
  }
  get(path: string) {
    return JSON.parse(this.request("GET", path).body);
  }
  post(path: string, value: unknown = {}, asked: Asked = {}): HttpResponse {
    return this.request("POST", path, { contentType: JSON_TYPE, body: JSON.stringify(value), ...asked });
  }
  /** Effects that change something for good. */
  get done(): string[] {
    return this.effects
      .filter(({ type }) => ["store", "forget", "forgetAll", "restart", "rollBack"].includes(type))
      .map((effect) => ("key" in effect ? `${effect.type} ${effect.key}` : effect.type));
  }
}

describe("the local api", () => {
  it("tells what the device is", () => {
    expect(new Device().get("/api/version")).include({
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

  it("tells how it fares, and what went wrong last", () => {
    const device = new Device();
    expect(device.get("/api/health")).deep.include({ status: "degraded", lastError: null });
    expect(device.get("/api/health").link).include({ state: "online", rssi: -50, setupPortal: false });
    device.on({ type: "updateFailed", code: "HTTP_STATUS", message: "the server answered 503" }, 5_000);
    expect(device.get("/api/health").lastError).deep.equal({
      code: "HTTP_STATUS",
      message: "the server answered 503",
      atSeconds: 5,
    });
    expect(device.on({ type: "serverReached" }).get("/api/health").status).equal("ok");
  });

  it("never gives a password or the token away", () => {
    const device = new Device({ "push.token": "owner-token-1" });
    const all = ["/api/version", "/api/health", "/api/settings", "/"].map(
      (path) => device.request("GET", path).body,
    );
    expect(all.join()).not.match(/secret password|owner-token-1/);
    expect(device.get("/api/settings").hasToken).equal(true);
  });

  it("serves the status page, which may reach its own push port only", () => {
    const page = new Device().request("GET", "/");
    expect(page.body).equal("<!doctype html>status");
    expect(page.headers["content-security-policy"]).include(`connect-src 'self' http://${HOST}:3232;`);
    const foreign = new Device().request("GET", "/", { host: "evil.example" });
    expect(foreign.headers["content-security-policy"]).include("connect-src 'self';");
  });

  it("leaves the setup page to phones at the access point while the portal is open", () => {
    const device = new Device();
    for (let i = 0; i < 3; i++) {
      device.on({ type: "wifiLost", attempt: device.state.wifi.attempt, reason: "lost" });
      device.on({ type: "timerFired", timer: "wifi" });
    }
    expect(device.state.wifi.portalOpen).equal(true);
    expect(device.request("GET", "/", { host: "192.168.4.1" }).body).equal(BOOTED.setupPage);
    expect(device.request("GET", "/api/version", { host: "captive.apple.com" }).status).equal(302);
    expect(device.request("GET", "/api/version", { host: "192.168.4.1" }).status).equal(200);
  });

  describe("with a change", () => {
    const CHANGE = { server: "http://10.0.0.2:8080/", checkSeconds: 60, deviceName: " Lamp " };

    it("stores what is valid, and uses it at once", () => {
      const device = new Device();
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
      const device = new Device({ server: "http://10.0.0.2" });
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
      ["a token that is short", { token: "1234567" }],
      ["a token with a space", { token: "12345678 9" }],
      ["a list", []],
      ["null", null],
    ] as const)
      it(`refuses ${what}, and stores nothing of it`, () => {
        const device = new Device();
        const both =
          typeof value === "object" && value && !Array.isArray(value)
            ? { deviceName: "ok", ...value }
            : value;
        expect(device.post("/api/settings", both).status).equal(400);
        expect(device.done).deep.equal([]);
      });

    for (const [what, asked, status] of [
      ["of a foreign page", { origin: "http://evil.example" }, 403],
      ["of a page without origin of its own", { origin: "null" }, 403],
      ["under a foreign name", { host: "evil.example", origin: "http://evil.example" }, 403],
      ["as a form", { contentType: "application/x-www-form-urlencoded" }, 415],
      ["as plain text", { contentType: "text/plain" }, 415],
    ] as const)
      it(`is refused ${what}`, () => {
        for (const path of ["/api/settings", "/api/restart", "/api/rollback", "/api/factory-reset"]) {
          const device = new Device();
          expect(device.post(path, {}, asked).status, path).equal(status);
          expect(device.effects.map(({ type }) => type)).deep.equal(["respond"]);
        }
      });

    it("is taken from its own page, by name and by address", () => {
      const device = new Device();
      expect(device.post("/api/settings", {}, { origin: `http://${HOST}` }).status).equal(200);
      const address = { host: "192.168.1.20", origin: "http://192.168.1.20" };
      expect(device.post("/api/settings", {}, address).status).equal(200);
      expect(device.request("GET", "/api/settings", { host: "evil.example" }).status).equal(403);
    });

    it("needs the owner's token once there is one", () => {
      const device = new Device();
      expect(device.post("/api/settings", { token: "owner-token-1" }).status).equal(200);
      expect(device.done).deep.equal(["store push.token"]);
      const missing = device.post("/api/restart");
      expect([missing.status, missing.headers["www-authenticate"]]).deep.equal([401, "Bearer"]);
      expect(device.post("/api/restart", {}, { authorization: "Bearer owner-token-2" }).status).equal(403);
      expect(device.post("/api/restart", {}, { authorization: "Bearer owner-token-10" }).status).equal(403);
      expect(device.post("/api/restart", {}, { authorization: "Bearer owner-token-1" }).status).equal(202);
    });
  });

  it("answers before it restarts", () => {
    const device = new Device();
    expect(device.post("/api/restart").status).equal(202);
    expect(device.done).deep.equal([]);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal([
      "forget unhealthy",
      "restart",
    ]);
  });

  it("forgets everything at a factory reset, last of all before the restart", () => {
    const device = new Device();
    device.post("/api/factory-reset");
    expect(device.done).deep.equal([]);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal(["forgetAll", "restart"]);
  });

  it("rolls back only when there is an image to go back to", () => {
    const device = new Device();
    const asked = {
      type: "requestReceived",
      connection: 3,
      method: "POST",
      path: "/api/rollback",
      host: HOST,
      body: "{}",
      contentType: JSON_TYPE,
    } as const;
    expect(device.on(asked).effects).deep.equal([{ type: "checkRollBack", connection: 3 }]);
    const answer = (possible: boolean) => {
      device.on({ type: "rollBackChecked", connection: 3, possible });
      return device.effects.find((effect) => effect.type === "respond")?.response.status;
    };
    expect(answer(false)).equal(409);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal([]);
    expect(answer(true)).equal(202);
    expect(device.on({ type: "timerFired", timer: "farewell" }).done).deep.equal(["store held", "rollBack"]);
  });

  it("refuses other methods", () => {
    expect(new Device().request("DELETE", "/api/settings").status).equal(405);
    expect(new Device().request("GET", "/api/restart").status).equal(405);
  });
});
