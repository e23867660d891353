// A device that a gateway leads to its server joins as one with a cable does: there is one network, which is there or not.

import { expect } from "chai";
import type { Booted } from "../../../../firmware/core/event.js";
import { Device, JOINED } from "../local-device.js";

const GATEWAY = "24:0a:c4:00:00:01";
const BY_RADIO: Booted = { ...JOINED, link: "radio", isAnnounced: false, stored: { layout: "1" } };

const types = (device: Device) => device.effects.map(({ type }) => type);

describe("a device by radio", () => {
  it("asks for its network at once, without a name, and opens no setup network", () => {
    const device = new Device(BY_RADIO);
    expect(device.effects.find(({ type }) => type === "joinWifi")).include({ ssid: "", password: "" });
    expect(types(device)).not.include("startAccessPoint");
  });

  it("is online when its gateway is found, and again when it was away", () => {
    const device = new Device(BY_RADIO);
    const found = { type: "wifiJoined", attempt: 1, address: GATEWAY, rssi: -60 } as const;
    device.on(found);
    expect(device.state.update.online).equal(true);
    expect(device.effects).deep.include({
      type: "log",
      level: "info",
      message: `gateway ${GATEWAY} is in range, -60 dBm`,
    });
    device.on({ type: "wifiLost", attempt: 1, reason: "lost" });
    expect(device.state.update.online).equal(false);
    expect(device.effects).deep.include({ type: "log", level: "warn", message: "no gateway is in range" });
    expect(types(device)).not.include("joinWifi");
    expect(device.on(found).state.update.online).equal(true);
  });

  it("tells its server its gateway's address", () => {
    const device = new Device(BY_RADIO).on({ type: "wifiJoined", attempt: 1, address: GATEWAY, rssi: -60 });
    device.on({ type: "timerFired", timer: "check" });
    const [request] = device.effects.flatMap((effect) =>
      effect.type === "startRequest" ? [effect.request] : [],
    );
    expect(JSON.parse(request?.body ?? "{}")).include({ address: GATEWAY, rssi: -60 });
  });
});
