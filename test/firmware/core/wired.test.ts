// A device with a cable does not report what its build lacks.

import { expect } from "chai";
import type { Booted } from "../../../firmware/core/event.js";
import { Device, JOINED } from "./local-device.js";

const ADDRESS = "192.168.1.20";
const WIRED: Booted = { ...JOINED, link: "ethernet", isAnnounced: false };

function plugged(): Device {
  const device = new Device(WIRED);
  return device.on({ type: "wifiJoined", attempt: 1, address: ADDRESS, rssi: 0 });
}

describe("a device with a cable", () => {
  it("recommends its address, and no name that is not announced", () => {
    const device = plugged();
    const paths = ["/", "/api/version", "/api/health", "/api/settings", "/api/join", "/api/device"];
    for (const path of paths) {
      const { status, body } = device.request("GET", path, { host: ADDRESS });
      expect(status, path).equal(200);
      expect(body, path).not.include(".local");
    }
    const { status, body } = device.post("/api/restart", {}, { host: "evil.example" });
    expect(status).equal(403);
    expect(body).include(`http://${ADDRESS}/`).and.not.include(".local");
  });

  it("recommends its name where that is announced", () => {
    const device = Device.joined();
    expect(device.get("/api/version").hostName).equal("base-0000a1.local");
    expect(device.get("/api/join").hostName).equal("base-0000a1.local");
    expect(device.post("/api/restart", {}, { host: "evil.example" }).body).include(
      "http://base-0000a1.local/",
    );
  });

  it("announces nothing", () => {
    const device = plugged();
    expect(device.effects.map(({ type }) => type)).not.include("announce");
    device.on({ type: "wifiLost", attempt: 1, reason: "lost" });
    expect(device.effects.map(({ type }) => type)).not.include("withdraw");
    expect(Device.joined().effects.map(({ type }) => type)).include("announce");
  });

  it("has no signal, neither on its page nor for the server", () => {
    const device = plugged();
    expect(device.get("/api/version", { host: ADDRESS }).hostName).equal(null);
    expect(device.get("/api/health", { host: ADDRESS }).link).include({ kind: "ethernet", rssi: null });
    expect(Device.joined().get("/api/health").link).include({ kind: "wifi", rssi: -50 });
    const checked = (one: Device) => {
      one.on({ type: "timerFired", timer: "check" });
      const [request] = one.effects.flatMap((effect) =>
        effect.type === "startRequest" ? [effect.request] : [],
      );
      return JSON.parse(request?.body ?? "{}");
    };
    expect(checked(device)).include({ address: ADDRESS }).and.not.have.property("rssi");
    expect(checked(Device.joined())).include({ rssi: -50 });
  });
});
