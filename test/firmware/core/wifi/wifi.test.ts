import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Booted, Event, JoinFailure, Network, Raise } from "../../../../firmware/core/event.js";
import { initialWifi, type WifiState, wifiStep } from "../../../../firmware/core/wifi/wifi.js";
import { BOOTED, stamped } from "../events.js";

/** A Wi-Fi machine that remembers what it was last asked to do. */
class Wifi {
  state: WifiState = initialWifi;
  effects: readonly (Effect | Raise)[] = [];
  atMs = 0;

  on(event: Event): this {
    [this.state, this.effects] = wifiStep(this.state, { ...stamped(event), at: this.atMs });
    return this;
  }
  /** The same after this time. */
  after(ms: number): this {
    this.atMs += ms;
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
  /** The attempt fails, and no other access point of the network is in range. */
  fail(reason: JoinFailure = "not-found") {
    return this.refuse(reason).hear([]);
  }
  refuse(reason: JoinFailure = "not-found") {
    return this.on({ type: "wifiLost", attempt: this.state.attempt, reason });
  }
  /** What the search hears that a failure leads to; nothing if it led to none. */
  hear(networks: readonly Network[]) {
    if (this.state.phase !== "looking") return this;
    if (!this.state.searching) this.on(timer);
    return this.on({ type: "scanCompleted", attempt: -this.state.attempt, networks });
  }
  join(address = "192.168.1.20", bssid?: string) {
    return this.on({ type: "wifiJoined", attempt: this.state.attempt, address, rssi: -50, bssid });
  }
}

/** An access point by the last byte of its address. */
const point = (end: number, rssi: number, more: Partial<Network> = {}): Network => ({
  ssid: "home",
  rssi,
  secured: true,
  channel: end,
  bssid: bssid(end),
  ...more,
});
const bssid = (end: number) => `02:00:00:00:00:0${end}`;

const SAVED = { ...BOOTED, stored: { layout: "1", networks: '[["home","secret password"]]' } };
const TWO = { ...BOOTED, stored: { layout: "1", networks: '[["home","a"],["work","b"]]' } };
const timer = { type: "timerFired", timer: "wifi" } as const;

describe("Wi-Fi", () => {
  it("opens the portal at once when no network is saved", () => {
    expect(new Wifi().on(BOOTED).types).include.members(["startAccessPoint", "startServer", "portalOpened"]);
  });

  it("joins the saved network and announces that", () => {
    const wifi = new Wifi().on(SAVED);
    expect(wifi.find("joinWifi")).include({
      ssid: "home",
      password: "secret password",
      hostName: "base-0000a1",
    });
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
    expect(wifi.types).include("leaveWifi");
    expect(wifi.hear([]).types).include("joinFailed");
  });

  it("ignores the answer to an attempt that is over", () => {
    const wifi = new Wifi().on(SAVED).on(timer).hear([]).on(timer);
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

// The kind: a network's name stands for several access points, and the one that is joined by the name is not the one that works.
describe("Wi-Fi of several access points", () => {
  const tried = (wifi: Wifi) => wifi.find("joinWifi")?.bssid;

  for (const why of ["no-address", "not-found", "lost", "wrong-password"] as const)
    it(`tries the others by their addresses after ${why}`, () => {
      const wifi = new Wifi()
        .on(SAVED)
        .refuse(why)
        .hear([point(1, -40), point(2, -60), point(3, -70)]);
      expect(wifi.find("joinWifi")).include({ ssid: "home", bssid: bssid(2), channel: 2 });
      expect(tried(wifi.refuse(why))).equal(bssid(3));
    });

  it("tries the strongest once more at the end, but not after a wrong password, and then the next network", () => {
    const wifi = new Wifi()
      .on(TWO)
      .refuse("no-address")
      .hear([point(1, -40), point(2, -60)])
      .refuse();
    expect(tried(wifi)).equal(bssid(1));
    expect(wifi.refuse().state.phase).equal("waiting");
    expect(wifi.on(timer).find("joinWifi")).include({ ssid: "work" });
    const wrong = new Wifi()
      .on(SAVED)
      .refuse("wrong-password")
      .hear([point(1, -40), point(2, -60)]);
    expect(wrong.refuse("wrong-password").state.phase).equal("waiting");
  });

  it("tries four of them at the most", () => {
    const wifi = new Wifi()
      .on(SAVED)
      .refuse()
      .hear([1, 2, 3, 4, 5, 6, 7].map((end) => point(end, -40 - end)));
    let count = 0;
    for (; wifi.state.phase === "joining"; count++) wifi.refuse();
    expect(count).equal(4);
  });

  it("tries each of many sooner or later", () => {
    const wifi = new Wifi().on(SAVED);
    const points = [1, 2, 3, 4, 5, 6, 7, 8, 9].map((end) => point(end, -40 - end));
    const seen = new Set<string | undefined>();
    for (let round = 0; round < 3; round++) {
      for (wifi.refuse().hear(points); wifi.state.phase === "joining"; wifi.refuse()) seen.add(tried(wifi));
      wifi.on(timer);
    }
    expect([...seen].sort()).deep.equal(points.map((one) => one.bssid));
  });

  it("never joins one openly whose network was saved with a password, and says that it is open", () => {
    const twin = new Wifi()
      .on(SAVED)
      .refuse()
      .hear([point(1, -40, { secured: false })]);
    expect(twin.types).not.include("joinWifi");
    expect(twin.effects).deep.include({
      type: "raise",
      event: { type: "joinFailed", ssid: "home", reason: "open" },
    });
    const beside = new Wifi()
      .on(SAVED)
      .refuse()
      .hear([point(1, -40, { secured: false }), point(2, -60)]);
    expect(beside.find("joinWifi")).include({ bssid: bssid(2), password: "secret password" });
  });

  it("says why a network that is in range was not joined", () => {
    const reasonOf = (password: string, heard: readonly Network[]) => {
      const wifi = new Wifi().on(BOOTED).on({ type: "credentialsSubmitted", ssid: "home", password });
      wifi.refuse().hear(heard);
      return wifi.effects.flatMap((one) =>
        one.type === "raise" && one.event.type === "joinFailed" ? [one.event.reason] : [],
      )[0];
    };
    expect(reasonOf("12345678", [])).equal("not-found");
    expect(reasonOf("12345678", [point(1, -40, { ssid: "another" })])).equal("not-found");
    expect(reasonOf("12345678", [point(1, -40, { secured: false })])).equal("open");
    expect(reasonOf("", [point(1, -40)])).equal("needs-password");
    expect(reasonOf("12345678", [point(1, -40)])).equal("refused");
  });

  it("tells of several failures the one that tells most", () => {
    const wifi = new Wifi()
      .on(SAVED)
      .refuse("wrong-password")
      .hear([point(1, -40), point(2, -60)])
      .refuse();
    expect(wifi.effects).deep.include({
      type: "raise",
      event: { type: "joinFailed", ssid: "home", reason: "wrong-password" },
    });
  });

  it("begins with the one that worked when the network is joined again, and goes on by its name", () => {
    const wifi = new Wifi()
      .on(SAVED)
      .refuse("no-address")
      .hear([point(1, -40), point(2, -60)])
      .join();
    wifi.refuse("lost").on(timer);
    expect(tried(wifi)).equal(bssid(2));
    wifi.refuse("not-found");
    expect(wifi.find("joinWifi")).not.have.property("bssid");
    expect(
      wifi.join().after(70_000).refuse("lost").on(timer).find("joinWifi"),
      "no longer",
    ).not.have.property("bssid");
  });

  it("leaves one that throws it out at once, twice in a row, for another, and comes back where there is none", () => {
    const wifi = new Wifi().on(SAVED).join("192.168.1.20", bssid(1));
    wifi.after(2_000).refuse("lost").on(timer);
    expect(wifi.find("joinWifi"), "once").not.have.property("bssid");
    wifi.join("192.168.1.20", bssid(1)).after(2_000).refuse("lost").on(timer);
    expect(wifi.state.phase).equal("looking");
    expect(tried(wifi.hear([point(1, -40), point(2, -60)]))).equal(bssid(2));
    const alone = new Wifi().on(SAVED).join("192.168.1.20", bssid(1));
    alone.after(2_000).refuse("lost").on(timer).join("192.168.1.20", bssid(1)).after(2_000).refuse("lost");
    expect(
      alone
        .on(timer)
        .hear([point(1, -40)])
        .find("joinWifi"),
    ).not.have.property("bssid");
    const lasting = new Wifi().on(SAVED).join("192.168.1.20", bssid(1));
    for (let i = 0; i < 3; i++) {
      expect(lasting.after(70_000).refuse("lost").on(timer).types).include("joinWifi");
      lasting.join("192.168.1.20", bssid(1));
    }
  });

  it("goes on where the search does not end, and ignores what one finds that is over", () => {
    const wifi = new Wifi().on(SAVED).refuse("not-found").on(timer);
    expect(wifi.find("scanWifi")).deep.equal({
      type: "scanWifi",
      attempt: -wifi.state.attempt,
      ssid: "home",
    });
    const late = -wifi.state.attempt;
    expect(wifi.on(timer).effects).deep.include({
      type: "raise",
      event: { type: "joinFailed", ssid: "home", reason: "not-found" },
    });
    expect(wifi.on({ type: "scanCompleted", attempt: late, networks: [point(1, -40)] }).effects).deep.equal(
      [],
    );
  });
});

// The kind: the address of a network that stays joined is not for ever.
describe("Wi-Fi with another address", () => {
  const online = (address: string) => ({ type: "raise", event: { type: "online", address, rssi: -50 } });

  it("takes it over, as often as it changes, in another range too", () => {
    const wifi = new Wifi().on(SAVED).join();
    for (const address of ["192.168.1.21", "10.0.0.7", "192.168.1.20"])
      expect(wifi.join(address).effects, address).deep.include(online(address));
    expect(wifi.state.phase).equal("joined");
  });

  it("announces the same one once", () => {
    expect(new Wifi().on(SAVED).join().join().effects).deep.equal([]);
  });

  it("takes it over from a cable too", () => {
    const wifi = new Wifi().on({ ...BOOTED, link: "ethernet" }).join();
    expect(wifi.join("10.0.0.7").effects).deep.include(online("10.0.0.7"));
  });

  it("does not take one from an attempt that is over", () => {
    const wifi = new Wifi().on(SAVED).join();
    expect(wifi.on({ type: "wifiJoined", attempt: 0, address: "10.0.0.7", rssi: -1 }).effects).deep.equal([]);
  });
});

// The kind: a stranger in the setup network, silent or busy, holds something back by being there.
describe("Wi-Fi beside a phone in the setup network", () => {
  const attach = { type: "clientAttached" } as const;
  const detach = { type: "clientDetached" } as const;
  const ask = {
    type: "requestReceived",
    connection: 1,
    method: "GET",
    path: "/",
    host: "192.168.4.1",
    body: "",
  } as const;
  const open = () => new Wifi().on(SAVED).fail().on(timer).fail().on(timer).fail().on(attach);

  /** Minutes until the network is tried, where every half minute the timer fires and the phone does something. */
  function minutesHeld(wifi: Wifi, busy: (wifi: Wifi) => void): number {
    for (let halves = 0; halves < 400; halves++) {
      if (wifi.on(timer).types.includes("joinWifi")) return halves / 2;
      busy(wifi.after(30_000));
    }
    return Number.POSITIVE_INFINITY;
  }

  it("waits three minutes for one that stays and asks for nothing", () => {
    expect(minutesHeld(open(), () => {})).equal(3);
  });

  it("waits while requests come, and ten minutes at the most", () => {
    expect(minutesHeld(open(), (wifi) => wifi.on(ask))).equal(10);
  });

  it("waits ten minutes at the most for one that attaches again and again", () => {
    expect(minutesHeld(open(), (wifi) => wifi.on(detach).on(attach))).equal(10);
  });

  it("waits again, as long, after each try", () => {
    const wifi = open();
    for (let i = 0; i < 3; i++) {
      expect(minutesHeld(wifi, (one) => one.on(ask))).equal(10);
      wifi.fail();
    }
  });

  it("closes the setup network a minute after it has joined, whoever comes and goes", () => {
    const wifi = open().on(timer).after(180_000).on(timer).join();
    expect(wifi.find("setTimer")).include({ timer: "portal", delayMs: 60_000 });
    let leftMs = 60_000;
    for (; leftMs > 0; leftMs -= 15_000) {
      wifi.on(detach);
      expect(wifi.find("setTimer")).include({ timer: "portal", delayMs: Math.min(20_000, leftMs) });
      wifi.on(attach).after(15_000);
    }
    expect(wifi.on(detach).find("setTimer")).include({ timer: "portal", delayMs: 0 });
  });

  it("tries a saved network after the third that phones submit, whatever they submit then", () => {
    const wifi = open();
    const submit = (ssid: string) => wifi.on({ type: "credentialsSubmitted", ssid, password: "12345678" });
    for (const ssid of ["a", "b", "c"]) expect(submit(ssid).types, ssid).include("joinWifi");
    expect(submit("d").effects).deep.equal([
      { type: "raise", event: { type: "joinFailed", ssid: "d", reason: "busy" } },
    ]);
    expect(wifi.fail().after(200_000).on(timer).find("joinWifi")).include({ ssid: "home" });
    expect(submit("e").types, "during its turn").not.include("joinWifi");
    expect(submit("home").types).not.include("joinWifi");
    wifi.fail();
    expect(submit("f").types, "after its turn").include("joinWifi");
  });

  it("goes on with a network that is submitted again while it is tried", () => {
    const wifi = new Wifi().on(BOOTED);
    const submit = () => wifi.on({ type: "credentialsSubmitted", ssid: "home", password: "12345678" });
    submit()
      .refuse()
      .hear([point(1, -40), point(2, -50)]);
    expect(submit().effects).deep.equal([]);
    expect(wifi.refuse().find("joinWifi")).include({ bssid: bssid(1) });
    expect(wifi.join().find("store")).include({ value: '[["home","12345678"]]' });
  });

  it("opens the setup network again where that failed, and not otherwise", () => {
    const wifi = new Wifi().on(BOOTED);
    const portal = { type: "timerFired", timer: "portal" } as const;
    expect(wifi.on(portal).effects).deep.equal([]);
    expect(wifi.on({ type: "accessPointFailed" }).types).deep.equal(["log", "setTimer"]);
    expect(wifi.on(portal).types).deep.equal(["startAccessPoint"]);
    expect(wifi.on(portal).effects).deep.equal([]);
  });
});

describe("a device with a network cable", () => {
  const WIRED: Booted = { ...BOOTED, link: "ethernet" };
  const portalThings = ["startAccessPoint", "scanWifi", "portalOpened"];

  it("starts its interface and no portal, whatever is saved", () => {
    for (const booted of [WIRED, { ...SAVED, link: "ethernet" as const }]) {
      const wifi = new Wifi().on(booted);
      expect(wifi.effects.at(-1)).deep.equal({
        type: "joinWifi",
        attempt: 1,
        ssid: "",
        password: "",
        hostName: "base-0000a1",
      });
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
