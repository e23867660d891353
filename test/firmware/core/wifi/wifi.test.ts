import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Booted, Event, Raise } from "../../../../firmware/core/event.js";
import { initialWifi, type WifiState, wifiStep } from "../../../../firmware/core/wifi/wifi.js";
import { BOOTED, stamped } from "../events.js";

/** A Wi-Fi machine that remembers what it was last asked to do. */
class Wifi {
  state: WifiState = initialWifi;
  effects: readonly (Effect | Raise)[] = [];

  on(event: Event): this {
    [this.state, this.effects] = wifiStep(this.state, stamped(event));
    return this;
  }
  get types(): string[] {
    return this.effects.map((effect) => (effect.type === "raise" ? effect.event.type : effect.type));
  }
  find<Type extends Effect["type"]>(type: Type) {
    return this.effects.find(
      (effect): effect is Extract<Effect, { readonly type: Type }> => effect.type === type,
    );
  }
  fail(reason: "wrong-password" | "not-found" | "lost" = "not-found") {
    return this.on({ type: "wifiLost", attempt: this.state.attempt, reason });
  }
  join() {
    return this.on({ type: "wifiJoined", attempt: this.state.attempt, address: "192.168.1.20", rssi: -50 });
  }
}

const SAVED = { ...BOOTED, stored: { layout: "1", networks: '[["home","secret password"]]' } };
const TWO = { ...BOOTED, stored: { layout: "1", networks: '[["home","a"],["work","b"]]' } };
const timer = { type: "timerFired", timer: "wifi" } as const;

describe("Wi-Fi", () => {
  it("opens the portal at once when no network is saved", () => {
    expect(new Wifi().on(BOOTED).types).include.members(["startAccessPoint", "startServer", "portalOpened"]);
  });

  it("joins the saved network and announces that", () => {
    const wifi = new Wifi().on(SAVED);
    expect(wifi.find("joinWifi")).include({ ssid: "home", password: "secret password" });
    expect(wifi.join().types).include("online");
    expect(wifi.state.phase).equal("joined");
  });

  it("waits longer after each failure, and opens the portal after the third", () => {
    const wifi = new Wifi().on(SAVED);
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      waits.push(wifi.fail().find("setTimer")!.delayMs);
      expect(wifi.types.includes("startAccessPoint"), `failure ${i + 1}`).equal(i === 2);
      wifi.on(timer);
    }
    expect(waits).deep.equal([1500, 3000, 6000, 12000, 24000, 45000, 45000, 45000]);
  });

  it("keeps trying the saved network while the portal is open and no phone is attached", () => {
    const wifi = new Wifi().on(SAVED).fail().on(timer).fail().on(timer).fail();
    expect(wifi.state.portalOpen).equal(true);
    expect(wifi.on({ type: "clientAttached" }).on(timer).types).deep.equal(["setTimer"]);
    expect(wifi.on({ type: "clientDetached" }).on(timer).types).include("joinWifi");
  });

  it("closes the portal by itself some seconds after it has joined", () => {
    const wifi = new Wifi().on(SAVED).fail().on(timer).fail().on(timer).fail().on(timer).join();
    expect(wifi.find("setTimer")).include({ timer: "portal", delayMs: 20_000 });
    expect(wifi.on({ type: "timerFired", timer: "portal" }).types).include.members([
      "startServer",
      "stopAccessPoint",
      "portalClosed",
    ]);
  });

  it("tries several saved networks in turn, and puts the one that worked first", () => {
    const wifi = new Wifi().on(TWO).fail().on(timer);
    expect(wifi.find("joinWifi")).include({ ssid: "work" });
    expect(wifi.join().find("store")).include({ key: "networks", value: '[["work","b"],["home","a"]]' });
  });

  it("saves submitted credentials only when they worked", () => {
    const wifi = new Wifi().on(BOOTED).on({ type: "credentialsSubmitted", ssid: "new", password: "wrong" });
    expect(wifi.find("store")).equal(undefined);
    expect(wifi.fail("wrong-password").types).include("joinFailed");
    expect(wifi.find("store")).equal(undefined);
    wifi.on({ type: "credentialsSubmitted", ssid: "new", password: "right pw" }).join();
    expect(wifi.find("store")).include({ key: "networks", value: '[["new","right pw"]]' });
  });

  it("gives up a join without an address in time", () => {
    const wifi = new Wifi().on(SAVED).on(timer);
    expect(wifi.types).include.members(["leaveWifi", "joinFailed"]);
  });

  it("ignores the answer to an attempt that is over", () => {
    const wifi = new Wifi().on(SAVED).on(timer).on(timer);
    expect(wifi.on({ type: "wifiJoined", attempt: 1, address: "1.2.3.4", rssi: -40 }).effects).deep.equal([]);
    expect(wifi.state.phase).equal("joining");
  });

  it("serves its own pages once joined, without a break when the portal closes, and not while it is offline", () => {
    const own = { type: "startServer", captive: false };
    const plain = new Wifi().on(SAVED).join();
    expect(plain.effects).deep.include(own);
    expect(plain.fail("lost").types).include("stopServer");
    const wifi = new Wifi()
      .on(BOOTED)
      .on({ type: "credentialsSubmitted", ssid: "new", password: "right pw" });
    expect(wifi.join().types, "the portal captures on").not.include("startServer");
    wifi.on({ type: "timerFired", timer: "portal" });
    expect(wifi.effects).deep.include(own);
    expect(wifi.types).not.include("stopServer");
  });

  it("announces that it went offline when another network is tried and fails", () => {
    const wifi = new Wifi().on(SAVED).fail().on(timer).fail().on(timer).fail().on(timer).join();
    wifi.on({ type: "credentialsSubmitted", ssid: "new", password: "wrong pw" });
    expect(wifi.types).not.include("offline");
    expect(wifi.fail("wrong-password").types).include("offline");
  });

  it("announces that it went offline and joins again", () => {
    const wifi = new Wifi().on(SAVED).join().fail("lost");
    expect(wifi.types).include("offline");
    expect(wifi.on(timer).types).include("joinWifi");
  });

  describe("with a network that is removed", () => {
    const forget = (ssid: string) => ({ type: "networkForgotten", ssid }) as const;
    const away = () => new Wifi().on(TWO).fail().on(timer).fail().on(timer).fail();

    it("announces what is left, and tries only that", () => {
      const wifi = away();
      expect(wifi.on(forget("home")).find("store")).include({ key: "networks", value: '[["work","b"]]' });
      expect(wifi.effects).deep.include({
        type: "raise",
        event: { type: "networksSaved", ssids: ["work"] },
      });
      for (let i = 0; i < 3; i++) {
        expect(wifi.on(timer).find("joinWifi")).include({ ssid: "work" });
        wifi.fail();
      }
    });

    it("gives up a running try of it, and waits for its owner when it was the last", () => {
      const wifi = away().on(timer);
      const before = wifi.state.attempt;
      expect(wifi.on(forget("work")).types).include.members(["leaveWifi", "setTimer"]);
      wifi.on({ type: "wifiJoined", attempt: before, address: "1.2.3.4", rssi: -40 });
      expect(wifi.state.phase).equal("waiting");
      wifi.on(forget("home"));
      expect(wifi.state).include({ phase: "unset", portalOpen: true });
      expect(wifi.on(timer).types).deep.equal([]);
    });

    it("stays in its current network", () => {
      const wifi = new Wifi().on(TWO).join().on(forget("work"));
      expect(wifi.types).deep.equal(["store", "networksSaved"]);
      expect(wifi.state.phase).equal("joined");
    });
  });
});

describe("a device with a network cable", () => {
  const WIRED: Booted = { ...BOOTED, link: "ethernet" };
  const portalThings = ["startAccessPoint", "scanWifi", "portalOpened"];

  it("starts its interface and no portal, whatever is saved", () => {
    for (const booted of [WIRED, { ...SAVED, link: "ethernet" as const }]) {
      const wifi = new Wifi().on(booted);
      expect(wifi.effects.at(-1)).deep.equal({ type: "joinWifi", attempt: 1, ssid: "", password: "" });
      expect(wifi.types).not.include.members(portalThings).and.not.include("startServer");
    }
  });

  it("serves its own pages while the cable has an address, as often as it comes and goes", () => {
    const wifi = new Wifi().on(WIRED);
    for (let i = 0; i < 5; i++) {
      wifi.join();
      expect(wifi.types).include.members(["online", "startServer"]);
      expect(wifi.effects).deep.include({ type: "startServer", captive: false });
      wifi.fail("lost");
      expect(wifi.types).deep.equal(["stopServer", "offline", "log"]);
      expect(wifi.fail("lost").effects, "announced once").deep.equal([]);
    }
  });

  it("has no use for the name of a network", () => {
    const wifi = new Wifi().on(WIRED).join();
    expect(wifi.on({ type: "credentialsSubmitted", ssid: "new", password: "12345678" }).effects).deep.equal(
      [],
    );
  });
});
