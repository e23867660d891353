// Who may change a device: its owner, by the token; anyone with physical access, as long as it has no owner; no one else.

import { expect } from "chai";
import type { Booted } from "../../../../firmware/core/event.js";
import { ATTENDED_MS } from "../../../../firmware/core/local/guard.js";
import { BOOTED } from "../events.js";
import { type Asked, BEARER, Device, HOST, JOINED, TOKEN } from "../local-device.js";

const CHANGES = [
  ["/api/settings", { deviceName: "Mine" }],
  ["/api/token", { token: "my-own-token" }],
  ["/api/forget-network", { ssid: "work" }],
  ["/api/rollback", {}],
  ["/api/restart", {}],
  ["/api/factory-reset", {}],
] as const;
const PORTAL = { host: "192.168.4.1" };
const STRANGER: Asked = {};

/** What this client may do, by path. */
function allowed(device: () => Device, asked: Asked): string[] {
  const paths = CHANGES.filter(([path, body]) => {
    const one = device();
    one.on(requestOf(path, body, asked), one.at);
    const status = one.effects.find((effect) => effect.type === "respond")?.response.status ?? 200;
    if (status >= 400) expect(one.done, path).deep.equal([]);
    return status < 400;
  }).map(([path]) => path);
  const reading = device().request("GET", "/api/saved-networks", asked).status;
  return reading < 400 ? [...paths, "saved networks"] : paths;
}

const requestOf = (path: string, body: object, asked: Asked) =>
  ({
    type: "requestReceived",
    connection: 3,
    method: "POST",
    path,
    host: HOST,
    contentType: "application/json",
    body: JSON.stringify(body),
    ...asked,
  }) as const;

const ALL = [...CHANGES.map(([path]) => path), "saved networks"];
const STORED = { layout: "1", networks: '[["home","a"],["work","b"]]' };
const OWNED = { ...STORED, "push.token": TOKEN };

interface Scene {
  readonly stored: Readonly<Record<string, string>>;
  readonly resetReason?: string;
  readonly at?: number;
}
const boot = ({ stored, resetReason = "software", at = 0 }: Scene, more: Partial<Booted> = {}): Device => {
  const device = new Device({ ...JOINED, resetReason, stored, ...more });
  device.at = at;
  return device;
};
const inHouse = (scene: Scene) => () => boot(scene).join();
const routerAway = (scene: Scene) => () => {
  const device = boot(scene).loseRouter();
  return device;
};

describe("who may change a device", () => {
  describe("that has an owner", () => {
    it("anyone with the token, in the home network and in the setup network", () => {
      const asked = { authorization: BEARER };
      expect(allowed(inHouse({ stored: OWNED }), asked)).deep.equal(ALL);
      expect(allowed(routerAway({ stored: OWNED }), { ...asked, ...PORTAL })).deep.equal(ALL);
    });

    it("no one else in the home network, even right after power on", () => {
      for (const resetReason of ["software", "power-on"])
        for (const authorization of [
          undefined,
          "Bearer",
          "Bearer owner-token-2",
          "Bearer owner-token-10",
          "Basic x",
        ])
          expect(allowed(inHouse({ stored: OWNED, resetReason }), { authorization })).deep.equal([]);
    });

    it("in its setup network anyone right after power on may reset it, and nothing else", () => {
      const plugged = { stored: OWNED, resetReason: "power-on" };
      expect(allowed(routerAway(plugged), PORTAL)).deep.equal(["/api/factory-reset"]);
      expect(allowed(routerAway({ ...plugged, at: ATTENDED_MS }), PORTAL)).deep.equal([]);
      expect(allowed(routerAway({ stored: OWNED, resetReason: "brownout" }), PORTAL)).deep.equal([]);
    });

    it("a built-in token counts as an owner too", () => {
      const device = () => boot({ stored: STORED }, { build: { ...BOOTED.build, pushToken: TOKEN } }).join();
      expect(allowed(device, STRANGER)).deep.equal([]);
      expect(allowed(device, { authorization: BEARER })).deep.equal(ALL);
    });
  });

  describe("that has none yet", () => {
    it("no one in the home network, and the answer says what to do", () => {
      const device = inHouse({ stored: STORED });
      expect(allowed(device, STRANGER)).deep.equal([]);
      expect(allowed(device, { authorization: "Bearer " })).deep.equal([]);
      const refused = device().post("/api/restart", {}, STRANGER);
      expect(refused.status).equal(403);
      expect(JSON.parse(refused.body).message).match(
        /Unplug it, plug it in again, and set a token within 10 minutes/,
      );
    });

    it("right after power on anyone may set the token in the home network, and nothing before that", () => {
      const scene = { stored: STORED, resetReason: "power-on", at: ATTENDED_MS - 1 };
      expect(allowed(inHouse(scene), STRANGER)).deep.equal(["/api/token"]);
      expect(inHouse(scene)().get("/api/settings")).include({ hasToken: false, attendedSeconds: 1 });
      expect(allowed(inHouse({ ...scene, at: ATTENDED_MS }), STRANGER)).deep.equal([]);
      expect(allowed(inHouse({ ...scene, resetReason: "external" }), STRANGER)).deep.equal(["/api/token"]);
      for (const resetReason of ["brownout", "panic", "task-watchdog", "deep-sleep", "unknown"])
        expect(allowed(inHouse({ ...scene, resetReason }), STRANGER), resetReason).deep.equal([]);
    });

    it("the first to set a token, and then only those who have it", () => {
      const device = inHouse({ stored: STORED, resetReason: "power-on" })();
      expect(device.post("/api/token", { token: TOKEN }, STRANGER).status).equal(200);
      expect(device.done).deep.equal(["store push.token"]);
      expect(device.post("/api/token", { token: "a-second-one" }, STRANGER).status).equal(401);
      expect(device.post("/api/restart").status).equal(202);
    });

    it("no one in the setup network of a device that waits for its router, except right after power on", () => {
      expect(allowed(routerAway({ stored: STORED }), PORTAL)).deep.equal([]);
      const plugged = { stored: STORED, resetReason: "power-on" };
      expect(allowed(routerAway(plugged), PORTAL)).deep.equal(ALL);
    });
  });

  describe("fresh out of its box", () => {
    const fresh = () => boot({ stored: { layout: "1" }, at: 86_400_000 });

    it("anyone in its setup network", () => {
      expect(allowed(fresh, PORTAL)).deep.equal(ALL.filter((path) => path !== "/api/forget-network"));
    });

    it("the token is stored once the network works, and not before", () => {
      const device = fresh();
      const post = (path: string, body: object) => device.post(path, body, PORTAL);
      expect(post("/api/token", { token: "first-thought" }).status).equal(202);
      post("/api/join", { ssid: "home", password: "wrong password" });
      device.on({ type: "wifiLost", attempt: device.state.wifi.attempt, reason: "wrong-password" });
      expect([device.done, device.get("/api/settings", PORTAL).hasToken]).deep.equal([[], false]);
      expect(post("/api/token", { token: TOKEN }).status).equal(202);
      post("/api/join", { ssid: "home", password: "right password" });
      device.join();
      expect(device.done).deep.equal(["store networks", "store push.token"]);
      expect(device.state.push.token).equal(TOKEN);
      expect(device.post("/api/restart", {}, STRANGER).status).equal(401);
      expect(device.post("/api/restart").status).equal(202);
    });

    it("a submitted token can be withdrawn", () => {
      const device = fresh();
      device.post("/api/token", { token: "first-thought" }, PORTAL);
      expect(device.post("/api/token", { token: "" }, PORTAL).status).equal(202);
      device.post("/api/join", { ssid: "home", password: "right password" }, PORTAL);
      device.join();
      expect(device.done).deep.equal(["store networks"]);
    });

    it("no one in the home network that it has just joined, while its setup network is still up", () => {
      const device = fresh();
      device.post("/api/join", { ssid: "home", password: "right password" }, PORTAL);
      device.join();
      expect(device.state.wifi.portalOpen).equal(true);
      for (const host of ["192.168.4.1", "192.168.1.20", HOST]) {
        expect(device.post("/api/token", { token: TOKEN }, { host }).status).equal(403);
        expect(device.post("/api/join", { ssid: "evil", password: "evil evil" }, { host }).status).equal(403);
      }
    });

    it("in the home network that it has just joined only the token may be set, and only right after power on", () => {
      const lingering = () => {
        const device = boot({ stored: { layout: "1" }, resetReason: "power-on" });
        device.post("/api/join", { ssid: "home", password: "right password" }, PORTAL);
        return device.join();
      };
      for (const host of ["192.168.4.1", "192.168.1.20", HOST])
        expect(allowed(lingering, { host })).deep.equal(["/api/token"]);
    });

    it("on Ethernet, which has no setup network, anyone may set the token right after power on", () => {
      const cabled = (resetReason: string) => () =>
        boot({ stored: { layout: "1" }, resetReason }).on({
          type: "online",
          address: "192.168.1.20",
          rssi: 0,
        });
      expect(allowed(cabled("software"), STRANGER)).deep.equal([]);
      expect(allowed(cabled("power-on"), STRANGER)).deep.equal(["/api/token"]);
    });
  });

  for (const [what, asked, status] of [
    ["from a foreign page", { origin: "http://evil.example" }, 403],
    ["from a page with an opaque origin", { origin: "null" }, 403],
    ["under a foreign name", { host: "evil.example", origin: "http://evil.example" }, 403],
    ["as a form", { contentType: "application/x-www-form-urlencoded" }, 415],
    ["as plain text", { contentType: "text/plain" }, 415],
  ] as const)
    it(`no one ${what}, with or without the token`, () => {
      for (const [path] of CHANGES) {
        const device = inHouse({ stored: OWNED })();
        expect(device.post(path, {}, { authorization: BEARER, ...asked }).status, path).equal(status);
        expect(device.effects.map(({ type }) => type)).deep.equal(["respond"]);
      }
    });

  it("its own page, by name and by address", () => {
    const device = inHouse({ stored: OWNED })();
    const from = (host: string) => ({ authorization: BEARER, host, origin: `http://${host}` });
    expect(device.post("/api/settings", {}, from(HOST)).status).equal(200);
    expect(device.post("/api/settings", {}, from("192.168.1.20")).status).equal(200);
    expect(device.request("GET", "/api/settings", { host: "evil.example" }).status).equal(403);
    const missing = device.post("/api/restart", {}, STRANGER);
    expect(missing.status).equal(401);
    expect(missing.headers["www-authenticate"]).match(
      /^Skyslot realm="base-0000a1", nonce="1-[0-9a-f]{32}", rounds=10000, Bearer$/,
    );
  });

  it("no page of another site through a phone in the setup network", () => {
    const device = boot({ stored: { layout: "1" } });
    const evil = { ...PORTAL, origin: "http://evil.example" };
    expect(device.post("/api/join", { ssid: "evil", password: "evil evil" }, evil).status).equal(403);
    expect(device.state.wifi.phase).equal("unset");
  });
});
