// The portal as a phone sees it: one request in, one answer out, and the effects that it causes.

import { expect } from "chai";
import type { Effect, HttpResponse } from "../../../../firmware/core/effect.js";
import type { Event, Network, Raise } from "../../../../firmware/core/event.js";
import { initialPortal, portalStep } from "../../../../firmware/core/wifi/portal.js";
import type { PortalState } from "../../../../firmware/core/wifi/portal-state.js";

const INFO = {
  deviceName: "Lamp",
  type: "led",
  version: "1.2.3",
  deviceId: "Led-A1b2c3",
  page: "<!doctype html>the page",
};
const OWN = "192.168.4.1";

class Portal {
  state: PortalState = initialPortal(INFO);
  effects: readonly (Effect | Raise)[] = [];

  send(event: Event): readonly (Effect | Raise)[] {
    [this.state, this.effects] = portalStep(this.state, { ...event, at: 0, random: 0, freeHeapBytes: 0 });
    return this.effects;
  }

  request(method: string, path: string, { host = OWN, body = "" } = {}): HttpResponse {
    this.send({ type: "requestReceived", connection: 7, method, path, host, body });
    const answers = this.effects.filter((effect) => effect.type === "respond");
    expect(answers.length, `answers to ${method} ${host}${path}`).to.equal(1);
    expect(this.effects[0]?.type, "the answer comes first").to.equal("respond");
    expect(answers[0]?.connection).to.equal(7);
    expect(answers[0]?.response.headers["cache-control"]).to.equal("no-store");
    return answers[0]!.response;
  }

  json(method: string, path: string, body?: string): Record<string, unknown> {
    const response = this.request(method, path, body === undefined ? {} : { body });
    expect(response.headers["content-type"]).to.equal("application/json");
    return JSON.parse(response.body);
  }

  raised(): readonly Event[] {
    return this.effects.flatMap((effect) => (effect.type === "raise" ? [effect.event] : []));
  }

  submit(ssid: string, password = ""): HttpResponse {
    return this.request("POST", "/api/join", { body: JSON.stringify({ ssid, password }) });
  }
}

function opened(): Portal {
  const portal = new Portal();
  portal.send({ type: "portalOpened" });
  return portal;
}

const network = (ssid: string, rssi: number, secured = true): Network => ({
  ssid,
  rssi,
  secured,
  channel: 1,
  bssid: "02:00:00:00:00:01",
});

function scanned(networks: readonly Network[]): Portal {
  const portal = opened();
  portal.send({ type: "scanCompleted", attempt: 1, networks });
  return portal;
}

describe("the portal's probes", () => {
  const probes = [
    ["captive.apple.com", "/hotspot-detect.html"],
    ["www.apple.com", "/library/test/success.html"],
    ["connectivitycheck.gstatic.com", "/generate_204"],
    ["www.google.com", "/gen_204"],
    ["www.msftconnecttest.com", "/connecttest.txt"],
    ["www.msftconnecttest.com", "/redirect"],
    ["www.msftncsi.com", "/ncsi.txt"],
    ["detectportal.firefox.com", "/canonical.html"],
    ["detectportal.firefox.com", "/success.txt?ipv4"],
    ["nmcheck.gnome.org", "/check_network_status.txt"],
    ["nmcheck.gnome.org", "/"],
    ["example.org", "/whatever"],
    [OWN, "/generate_204"],
    ["", "/hotspot-detect.html"],
  ] as const;
  for (const [host, path] of probes) {
    it(`leads ${host || "a request without host"} ${path} to the setup page`, () => {
      const response = opened().request("GET", path, { host });
      expect(response.status).to.equal(302);
      expect(response.headers.location).to.equal("http://192.168.4.1/");
      expect(response.body).to.equal("");
    });
  }

  it("does not answer probes once the portal is closed", () => {
    const portal = opened();
    portal.send({ type: "portalClosed" });
    expect(portal.request("GET", "/generate_204").status).to.equal(404);
    expect(portal.request("GET", "/", { host: "lamp.fritz.box" }).status).to.equal(200);
  });
});

describe("the portal's pages", () => {
  it("serves the page under each of the device's own names", () => {
    const portal = opened();
    for (const host of [OWN, "", "led-a1b2c3.local", "LED-A1B2C3.local", "led-a1b2c3"]) {
      const response = portal.request("GET", "/?x=1", { host });
      expect(response.status, host).to.equal(200);
      expect(response.headers["content-type"]).to.equal("text/html; charset=utf-8");
      expect(response.body).to.equal(INFO.page);
    }
  });

  it("returns the device's identity", () => {
    expect(opened().json("GET", "/api/device")).to.deep.equal({
      name: "Lamp",
      type: "led",
      version: "1.2.3",
      deviceId: "Led-A1b2c3",
    });
  });

  it("answers 404 to unknown paths on its own host, also to names of inherited properties", () => {
    for (const path of ["/nothing", "/favicon.ico", "/constructor", "__proto__", "/api"]) {
      expect(opened().request("GET", path).status, path).to.equal(404);
    }
  });

  it("answers 405 to other methods, and says which a path has", () => {
    for (const [method, path, allow] of [
      ["PUT", "/api/join", "GET, HEAD, POST"],
      ["DELETE", "/", "GET, HEAD"],
      ["OPTIONS", "/", "GET, HEAD"],
      ["POST", "/", "GET, HEAD"],
      ["GET", "/api/scan", "POST"],
      ["POST", "/api/networks", "GET, HEAD"],
      ["OPTIONS", "*", ""],
    ] as const) {
      const { status, headers } = opened().request(method, path);
      expect(status, `${method} ${path}`).to.equal(405);
      expect(headers.allow).to.equal(allow);
    }
  });

  it("accepts a network neither from the home network nor under another host name", () => {
    const portal = opened();
    expect(portal.request("POST", "/api/join", { host: "evil.example", body: "ssid=x" }).status).to.equal(
      403,
    );
    portal.send({ type: "portalClosed" });
    expect(portal.request("POST", "/api/join", { body: "ssid=x" }).status).to.equal(403);
    expect(portal.request("POST", "/api/scan").status).to.equal(403);
    expect(portal.raised()).to.deep.equal([]);
  });
});

describe("the portal's list of networks", () => {
  it("starts one scan when the portal opens, before a phone connects", () => {
    const portal = opened();
    expect(portal.effects).to.deep.include({ type: "scanWifi", attempt: 1 });
    expect(portal.json("GET", "/api/networks")).to.deep.equal({ scanning: true, networks: [] });
  });

  it("keeps the strongest of each name, sorts them, and leaves hidden ones out", () => {
    const portal = scanned([
      network("b", -70),
      network("a", -80),
      network("", -20),
      network("a", -40, false),
      network("c", -70),
    ]);
    expect(portal.json("GET", "/api/networks")).to.deep.equal({
      scanning: false,
      networks: [
        { ssid: "a", rssi: -40, secured: false },
        { ssid: "b", rssi: -70, secured: true },
        { ssid: "c", rssi: -70, secured: true },
      ],
    });
  });

  it("keeps at most 20", () => {
    const portal = scanned(Array.from({ length: 64 }, (_, i) => network(`n${i}`, -90 + i)));
    const { networks } = portal.json("GET", "/api/networks") as { networks: Network[] };
    expect(networks.length).to.equal(20);
    expect(networks[0]?.ssid).to.equal("n63");
  });

  it("answers a request for a scan before it scans, so that the phone receives it", () => {
    const portal = scanned([network("a", -50)]);
    expect(portal.request("POST", "/api/scan").status).to.equal(202);
    expect(portal.effects.some((effect) => effect.type === "scanWifi")).to.equal(false);
    expect(portal.json("GET", "/api/networks")).to.deep.include({ scanning: true });
    const effects = portal.send({ type: "timerFired", timer: "scan" });
    expect(effects).to.deep.include({ type: "scanWifi", attempt: 2 });
  });

  it("never runs two scans at once", () => {
    const portal = opened();
    expect(portal.request("POST", "/api/scan").status).to.equal(202);
    expect(portal.effects.length).to.equal(1);
  });

  it("shows the old list while it scans, and drops the result of an older scan", () => {
    const portal = scanned([network("a", -50)]);
    portal.request("POST", "/api/scan");
    portal.send({ type: "timerFired", timer: "scan" });
    portal.send({ type: "scanCompleted", attempt: 1, networks: [] });
    expect(portal.json("GET", "/api/networks")).to.deep.include({ scanning: true });
    expect((portal.json("GET", "/api/networks").networks as unknown[]).length).to.equal(1);
  });

  it("gives up a scan that never ends", () => {
    const portal = opened();
    portal.send({ type: "timerFired", timer: "scan" });
    expect(portal.json("GET", "/api/networks")).to.deep.include({ scanning: false });
    portal.request("POST", "/api/scan");
    expect(portal.send({ type: "timerFired", timer: "scan" })).to.deep.include({
      type: "scanWifi",
      attempt: 2,
    });
  });

  it("does not scan while the device joins: the radio is needed", () => {
    const portal = scanned([]);
    portal.request("POST", "/api/scan");
    portal.submit("home", "password");
    expect(portal.send({ type: "timerFired", timer: "scan" })).to.deep.equal([]);
    expect(portal.request("POST", "/api/scan").status).to.equal(409);
  });
});

describe("joining through the portal", () => {
  it("answers 202, raises what was entered, and never reveals the password", () => {
    const portal = scanned([]);
    const response = portal.submit("home", "s3cret+pass");
    expect(response.status).to.equal(202);
    expect(portal.raised()).to.deep.equal([
      { type: "credentialsSubmitted", ssid: "home", password: "s3cret+pass" },
    ]);
    expect(portal.json("GET", "/api/join")).to.deep.equal({ phase: "joining", attempt: 1, ssid: "home" });
    expect(JSON.stringify(portal.state) + response.body).to.not.include("s3cret");
  });

  it("accepts forms as well as JSON, with any characters", () => {
    for (const ssid of ["a+b=c%d#e&f g", "Zürich 😀", "x".repeat(32), " ", '"quoted\\"', "{ssid}"]) {
      const portal = scanned([]);
      const password = `${ssid.slice(0, 6)}+ = % # & pass`;
      portal.request("POST", "/api/join", { body: new URLSearchParams({ ssid, password }).toString() });
      expect(portal.raised()).to.deep.equal([{ type: "credentialsSubmitted", ssid, password }]);
      expect(portal.submit(ssid, password).status).to.equal(202);
      expect(portal.raised()).to.deep.equal([{ type: "credentialsSubmitted", ssid, password }]);
    }
  });

  const good: readonly (readonly [string, string])[] = [
    ["an open network", ""],
    ["8 bytes", "12345678"],
    ["63 bytes", "x".repeat(63)],
    ["64 hex digits", "0123456789abcdefABCDEF".padEnd(64, "0")],
    ["UTF-8 of 63 bytes", "é".repeat(31).concat("x")],
  ];
  for (const [label, password] of good) {
    it(`accepts a password of ${label}`, () => {
      expect(opened().submit("home", password).status).to.equal(202);
    });
  }

  const bad: readonly (readonly [string, string, string])[] = [
    ["an empty name", "ssid=&password=12345678", "SSID_INVALID"],
    ["no name", "password=12345678", "SSID_INVALID"],
    ["a name of 33 bytes", `ssid=${"x".repeat(33)}`, "SSID_INVALID"],
    ["a name of 17 characters and 34 bytes", `{"ssid":"${"é".repeat(17)}"}`, "SSID_INVALID"],
    ["a name with a NUL", "ssid=a%00b", "SSID_INVALID"],
    ["a password of 7 bytes", "ssid=a&password=1234567", "PASSWORD_INVALID"],
    ["a password of 64 letters", `ssid=a&password=${"x".repeat(64)}`, "PASSWORD_INVALID"],
    ["a password of 65 digits", `ssid=a&password=${"0".repeat(65)}`, "PASSWORD_INVALID"],
    ["a password with a NUL", "ssid=a&password=12345678%00", "PASSWORD_INVALID"],
    ["a broken escape", "ssid=a%zz", "BODY_INVALID"],
    ["broken JSON", '{"ssid":', "BODY_INVALID"],
    ["a number for a name", '{"ssid":5}', "BODY_INVALID"],
    ["an object for a password", '{"ssid":"a","password":{}}', "BODY_INVALID"],
  ];
  for (const [label, body, code] of bad) {
    it(`refuses ${label} and says why`, () => {
      const portal = opened();
      const response = portal.request("POST", "/api/join", { body });
      expect(response.status).to.equal(400);
      expect(JSON.parse(response.body)).to.deep.include({ code });
      expect(JSON.parse(response.body).message).to.match(/\.$/);
      expect(portal.raised()).to.deep.equal([]);
      expect(portal.state.join.phase).to.equal("idle");
    });
  }

  it("returns the new address and the host name once joined, and serves the page there too", () => {
    const portal = opened();
    portal.submit("home", "password");
    portal.send({ type: "online", address: "10.0.0.5", rssi: -50 });
    const report = {
      phase: "joined",
      attempt: 1,
      ssid: "home",
      address: "10.0.0.5",
      hostName: "led-a1b2c3.local",
    };
    expect(portal.json("GET", "/api/join")).to.deep.equal(report);
    expect(portal.request("GET", "/", { host: "10.0.0.5" }).status).to.equal(200);
    portal.send({ type: "portalClosed" });
    expect(portal.json("GET", "/api/join")).to.deep.equal(report);
  });

  for (const reason of ["wrong-password", "not-found", "no-address", "lost"] as const) {
    it(`reports that joining failed: ${reason}`, () => {
      const portal = opened();
      portal.submit("home", "password");
      portal.send({ type: "joinFailed", ssid: "home", reason });
      const report = portal.json("GET", "/api/join");
      expect(report).to.deep.include({ phase: "failed", ssid: "home", reason });
      expect(report.message).to.match(/^The .+\.$/);
    });
  }

  it("counts submissions, and a second one replaces the result of the first", () => {
    const portal = opened();
    portal.submit("home", "wrong-one");
    portal.send({ type: "joinFailed", ssid: "home", reason: "wrong-password" });
    portal.submit("home", "right-one");
    expect(portal.json("GET", "/api/join")).to.deep.equal({ phase: "joining", attempt: 2, ssid: "home" });
  });

  it("does not let a saved network that fails in the background hide what the owner waits for", () => {
    const portal = opened();
    portal.submit("new", "password");
    portal.send({ type: "joinFailed", ssid: "old", reason: "not-found" });
    expect(portal.state.join).to.deep.include({ phase: "joining", ssid: "new" });
    portal.send({ type: "joinFailed", ssid: "new", reason: "wrong-password" });
    portal.send({ type: "joinFailed", ssid: "old", reason: "not-found" });
    expect(portal.state.join).to.deep.include({ phase: "failed", ssid: "new", reason: "wrong-password" });
  });

  it("does not report the failed network's name when a saved one is joined", () => {
    const portal = opened();
    portal.submit("new", "password");
    portal.send({ type: "joinFailed", ssid: "new", reason: "wrong-password" });
    portal.send({ type: "online", address: "10.0.0.5", rssi: -50 });
    expect(portal.state.join).to.deep.include({ phase: "joined", ssid: "" });
  });

  it("is no longer joined when the connection is lost", () => {
    const portal = opened();
    portal.send({ type: "online", address: "10.0.0.5", rssi: -50 });
    portal.send({ type: "offline" });
    expect(portal.json("GET", "/api/join")).to.deep.equal({ phase: "idle", attempt: 0, ssid: "" });
  });

  it("ignores events of other machines", () => {
    const portal = opened();
    const before = portal.state;
    expect(portal.send({ type: "markedValid" })).to.deep.equal([]);
    expect(portal.send({ type: "timerFired", timer: "check" })).to.deep.equal([]);
    expect(portal.state).to.equal(before);
  });
});
