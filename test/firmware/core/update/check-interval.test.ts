// How often a device checks: its own setting, else the server's interval, else the build's.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Raise } from "../../../../firmware/core/event.js";
import {
  changeSettings,
  readPreferences,
  readSettings,
} from "../../../../firmware/core/settings/preferences.js";
import { initialUpdate, type UpdateState, updateStep } from "../../../../firmware/core/update/update.js";
import { answerEvents, BOOTED, stamped } from "../events.js";

const SERVER = "http://updates.test";
const BUILD = BOOTED.build;

/** A device that has booted with these settings stored, and is answered check after check. */
class Checking {
  state: UpdateState = initialUpdate;
  asked: readonly (Effect | Raise)[] = [];

  constructor(stored: Readonly<Record<string, string>>) {
    const { checkSeconds, hasOwnPace } = readPreferences({ layout: "1", ...stored }, BUILD).preferences;
    this.on({ ...BOOTED });
    this.on({ type: "serverChosen", server: SERVER, checkSeconds, hasOwnPace });
    this.on({ type: "online", address: "192.168.1.20", rssi: -50 });
  }

  on(event: Parameters<typeof stamped>[0]): void {
    [this.state, this.asked] = updateStep(this.state, stamped(event));
  }

  /** @returns seconds in force after it, and those of the next timer, without its jitter */
  answered(answer: object, status = 200): number {
    this.on({ type: "timerFired", timer: "check" });
    const whole = { update_available: false, time: 1, ...answer };
    const asked: (Effect | Raise)[] = [];
    for (const event of answerEvents(this.state.attempt, whole, status)) {
      this.on(event);
      asked.push(...this.asked);
    }
    const next = asked.find((effect) => effect.type === "setTimer" && effect.timer === "check");
    expect(next)
      .property("delayMs")
      .within(800 * this.state.checkSeconds, 1200 * this.state.checkSeconds);
    return this.state.checkSeconds;
  }
}

describe("how often a device checks", () => {
  it("is the server's where none is set for the device, and the build's again when the server sends none", () => {
    const device = new Checking({});
    expect(device.answered({})).equal(BUILD.checkSeconds);
    expect(device.answered({ poll_seconds: 900 })).equal(900);
    expect(device.answered({ poll_seconds: 1 })).equal(10);
    expect(device.answered({})).equal(BUILD.checkSeconds);
  });

  it("is shorter at once when the owner chooses so, and not longer before the next check", () => {
    const device = new Checking({});
    device.answered({});
    const choose = (checkSeconds: number) => {
      device.on({ type: "serverChosen", server: SERVER, checkSeconds, hasOwnPace: true });
      return device.asked.filter((effect) => effect.type === "setTimer" && effect.timer === "check");
    };
    const [timer] = choose(10);
    expect(timer).property("delayMs").within(9_000, 11_000);
    expect(choose(10)).deep.equal([]);
    expect(choose(3_600)).deep.equal([]);
    device.on({ type: "offline" });
    expect(choose(20), "in no network").deep.equal([]);
    device.on({ type: "online", address: "192.168.1.20", rssi: -50 });
    device.on({ type: "timerFired", timer: "check" });
    expect(choose(15), "while it checks: the answer sets the timer").deep.equal([]);
  });

  it("is the device's own setting, whatever the server sends to all others", () => {
    const device = new Checking({ "check.seconds": "45" });
    expect(device.answered({ poll_seconds: 900 })).equal(45);
    expect(device.answered({ poll_seconds: 900, poll_is_for_all: "yes" })).equal(45);
  });

  it("is the server's in an emergency, and the device's own again as soon as that is over", () => {
    const device = new Checking({ "check.seconds": "45" });
    expect(device.answered({ poll_seconds: 900, poll_is_for_all: true })).equal(900);
    expect(device.answered({ poll_is_for_all: true })).equal(45);
    expect(device.answered({ poll_seconds: 900, poll_is_for_all: true })).equal(900);
    expect(device.answered({ poll_seconds: 900 })).equal(45);
  });

  it("stays unchanged when the server is too busy to answer", () => {
    const device = new Checking({});
    expect(device.answered({ poll_seconds: 900 })).equal(900);
    for (const status of [429, 503]) expect(device.answered({ poll_seconds: 60 }, status)).equal(900);
    expect(device.answered({ poll_seconds: 60 })).equal(60);
  });

  it("is chosen by a setting, and left to the server again by 0", () => {
    const { preferences } = readPreferences({ layout: "1" }, BUILD);
    const change = (checkSeconds: number, from = preferences) => {
      const read = readSettings(JSON.stringify({ checkSeconds }));
      if (!read.ok) throw new Error(read.failure.message);
      return changeSettings(from, read.value, BUILD);
    };
    const [chosen, stored] = change(300);
    expect(chosen).include({ checkSeconds: 300, hasOwnPace: true });
    expect(stored).deep.equal({ "check.seconds": "300" });
    const [left, forgotten] = change(0, chosen);
    expect(left).include({ checkSeconds: BUILD.checkSeconds, hasOwnPace: false });
    expect(forgotten).deep.equal({ "check.seconds": undefined });
    const named = readSettings('{"deviceName":"Lamp"}');
    if (!named.ok) throw new Error(named.failure.message);
    expect(changeSettings(chosen, named.value, BUILD)[0]).include({ hasOwnPace: true });
  });
});
