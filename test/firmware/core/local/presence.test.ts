// The kind: the name that a device asks for is not the one that it gets.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import {
  initialPresence,
  type PresenceState,
  presenceStep,
} from "../../../../firmware/core/local/presence.js";
import { BOOTED, stamped } from "../events.js";
import { BEARER, Device } from "../local-device.js";

const ONLINE: Event = { type: "online", address: "192.168.1.20", rssi: -50 };
const TIMER: Event = { type: "timerFired", timer: "announce" };
const refused = (hostName: string): Event => ({ type: "nameRefused", hostName });

const asked = (host: string) => ({ host, authorization: BEARER });

class Presence {
  state: PresenceState = initialPresence;
  effects: readonly (Effect | Raise)[] = [];

  on(...events: readonly Event[]): this {
    for (const event of events) [this.state, this.effects] = presenceStep(this.state, stamped(event));
    return this;
  }
  get announced() {
    return this.effects.flatMap((one) => (one.type === "announce" ? [one.hostName] : []));
  }
  get delayMs() {
    return this.effects.flatMap((one) => (one.type === "setTimer" ? [one.delayMs] : []))[0];
  }
}

describe("the name of a device in its network", () => {
  it("is the device id, or that with a number where another device has it", () => {
    const presence = new Presence().on(BOOTED, ONLINE);
    expect(presence.announced).deep.equal(["base-0000a1"]);
    expect(presence.on(refused("base-0000a1")).announced, "not at once").deep.equal([]);
    expect(presence.on(TIMER).announced).deep.equal(["base-0000a1-2"]);
    expect(presence.on(refused("base-0000a1-2"), TIMER).announced).deep.equal(["base-0000a1-3"]);
  });

  it("is tried after a time that differs from device to device, and begins anew after the ninth", () => {
    const presence = new Presence().on(BOOTED, ONLINE);
    const delays = [0, 0.25, 0.99].map((random) => {
      const [, effects] = presenceStep(presence.state, stamped(refused("base-0000a1"), random));
      return effects.flatMap((one) => (one.type === "setTimer" ? [one.delayMs] : []))[0];
    });
    expect(delays).deep.equal([0, 2_500, 9_900]);
    presence.on(refused("base-0000a1"), TIMER);
    for (let number = 2; number <= 9; number++) {
      expect(presence.announced).deep.equal([`base-0000a1-${number}`]);
      presence.on(refused(`base-0000a1-${number}`));
      if (number === 9) expect(presence.delayMs).above(600_000);
      presence.on(TIMER);
    }
    expect(presence.announced).deep.equal(["base-0000a1"]);
  });

  it("is asked for again when the device joins again, and a late refusal changes nothing", () => {
    const presence = new Presence().on(BOOTED, ONLINE, refused("base-0000a1"), TIMER);
    expect(presence.on(refused("base-0000a1")).effects).deep.equal([]);
    presence.on({ type: "offline" });
    expect(presence.effects.map(({ type }) => type)).deep.equal(["withdraw", "clearTimer", "raise"]);
    expect(presence.on(TIMER).announced, "while it is away").deep.equal([]);
    expect(presence.on(ONLINE).announced).deep.equal(["base-0000a1"]);
  });

  it("is not announced while the setup network is open", () => {
    const presence = new Presence().on(BOOTED, { type: "portalOpened" }, ONLINE);
    expect(presence.announced).deep.equal([]);
    expect(presence.on({ type: "portalClosed" }).announced).deep.equal(["base-0000a1"]);
    expect(presence.on({ type: "portalOpened" }).effects.map(({ type }) => type)).include("withdraw");
  });

  it("is announced with another address", () => {
    const presence = new Presence().on(BOOTED, ONLINE);
    expect(presence.on({ ...ONLINE, address: "10.0.0.7" } as Event).announced).deep.equal(["base-0000a1"]);
  });

  it("that it got is told by its pages, and its requests are answered", () => {
    const device = Device.joined().on({ type: "nameClaimed", hostName: "base-0000a1-2" });
    const hosts = [
      "base-0000a1-2.local",
      "base-0000a1.local",
      "base-0000a1-2",
      "base-0000a1-2.lan",
      "192.168.1.20",
    ];
    for (const host of hosts) {
      expect(device.get("/api/version", { host }).hostName, host).equal("base-0000a1-2.local");
      expect(device.request("GET", "/", { host }).status, host).equal(200);
      expect(device.get("/api/join", { host }).hostName, host).equal("base-0000a1-2.local");
      expect(device.post("/api/settings", { deviceName: "Lamp" }, asked(host)).status, host).equal(200);
    }
    const stranger = device.post("/api/restart", {}, { host: "base-0000a1-2.attacker.example" });
    expect(stranger.status).equal(403);
    expect(stranger.body).include("http://base-0000a1-2.local/");
  });

  it("that it no longer has is not told, and opens nothing", () => {
    const device = Device.joined().on({ type: "nameClaimed", hostName: "base-0000a1-2" });
    device.on({ type: "nameRefused", hostName: "base-0000a1" });
    expect(device.get("/api/version", { host: "192.168.1.20" }).hostName).equal("base-0000a1.local");
    expect(device.post("/api/restart", {}, { host: "base-0000a1-2.local" }).status).equal(403);
  });
});
