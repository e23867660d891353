// The kind: a network is joined, and nothing gets through it: nothing at all, one way, only names, only what goes to others. And its opposite:
// only the server is off, and nothing is wrong with the network.

import { expect } from "chai";
import type { Effect } from "../../../../firmware/core/effect.js";
import type { Event, Raise } from "../../../../firmware/core/event.js";
import {
  initialLinkWatch,
  LINK_RESTARTS_KEY,
  type LinkWatchState,
  linkWatchStep,
  type Occupation,
} from "../../../../firmware/core/wifi/link-watch.js";
import { BOOTED, stamped } from "../events.js";

const HOUR_MS = 3_600_000;
const CHECK_MS = 150_000;
const CHECKING: Occupation = { isAsking: true, isBusy: false, isUpdating: false };
const ONLINE: Event = { type: "online", address: "192.168.1.20", rssi: -50 };
const FAILED: Event = { type: "requestFailed", attempt: 2, message: "no" };
const ANSWER: Event = { type: "responseStarted", attempt: 2, status: 500, headers: {} };
const HEARD: Event = { type: "peerHeard" };
const PAGE: Event = { type: "requestReceived", connection: 1, method: "GET", path: "/", host: "", body: "" };

class Watch {
  state: LinkWatchState = initialLinkWatch;
  effects: readonly (Effect | Raise)[] = [];
  atMs = 10_000;

  constructor(stored: Readonly<Record<string, string>> = {}) {
    this.on({ ...BOOTED, stored }).on(ONLINE);
  }
  on(event: Event, occupation: Occupation = CHECKING): this {
    [this.state, this.effects] = linkWatchStep(this.state, { ...stamped(event), at: this.atMs }, occupation);
    return this;
  }
  /** What is done, and after which failed check, until the chip is restarted or so many have failed. */
  cures(checkCount: number, before: readonly Event[] = [], occupation = CHECKING): string[] {
    const cures: string[] = [];
    for (let count = 1; count <= checkCount && cures.at(-1)?.includes("restart") !== true; count++) {
      this.atMs += CHECK_MS;
      for (const event of before) this.on(event, occupation);
      this.on(FAILED, occupation);
      for (const one of this.effects) {
        if (one.type === "raise" && one.event.type === "linkDoubted")
          cures.push(`${count} ${one.event.cure}`);
        if (one.type === "restart") cures.push(`restart after ${Math.floor(this.atMs / HOUR_MS)} h`);
      }
      if (this.effects.some(({ type }) => type === "raise")) this.on({ type: "offline" }).on(ONLINE);
    }
    return cures;
  }
}

describe("a network that nothing gets through", () => {
  it("is joined anew after five checks, then another way, and after an hour the chip is restarted", () => {
    expect(new Watch().cures(1000)).deep.equal(["5 rejoin", "10 another", "20 rejoin", "restart after 1 h"]);
  });

  it("restarts the chip half as often after each time without success, and every 16 hours in the end", () => {
    const after = (restarts: string) => new Watch({ [LINK_RESTARTS_KEY]: restarts }).cures(1000).at(-1);
    expect(["1", "2", "3", "4", "5", "400", "x"].map(after)).deep.equal([
      "restart after 2 h",
      "restart after 4 h",
      "restart after 8 h",
      "restart after 16 h",
      "restart after 16 h",
      "restart after 16 h",
      "restart after 1 h",
    ]);
  });

  it("counts a check that gets no answer in time", () => {
    const watch = new Watch();
    for (let i = 0; i < 5; i++) watch.on({ type: "timerFired", timer: "transfer" });
    expect(watch.effects.map(({ type }) => type)).deep.equal(["log", "raise"]);
  });

  it("keeps a count of its restarts, and forgets it with the first answer", () => {
    const watch = new Watch({ [LINK_RESTARTS_KEY]: "2" });
    watch.cures(1000);
    expect(watch.effects.filter(({ type }) => type !== "log")).deep.equal([
      { type: "store", key: LINK_RESTARTS_KEY, value: "3" },
      { type: "restart", reason: "network" },
    ]);
    expect(new Watch({ [LINK_RESTARTS_KEY]: "2" }).on(ANSWER).effects).deep.equal([
      { type: "forget", key: LINK_RESTARTS_KEY },
    ]);
  });
});

describe("a network that something gets through", () => {
  for (const status of [200, 404, 500])
    it(`is left alone while the server answers ${status}`, () => {
      expect(new Watch().cures(1000, [{ ...ANSWER, status }])).deep.equal([]);
    });

  it("begins its counts anew with each answer", () => {
    const watch = new Watch();
    for (let i = 0; i < 50; i++) {
      expect(watch.cures(4)).deep.equal([]);
      watch.on(ANSWER).on(FAILED);
    }
  });

  it("is joined anew ever more rarely while only the server is off, and the chip is never restarted", () => {
    for (const sign of [
      HEARD,
      { type: "datagramReceived", address: "192.168.1.9", port: 1, text: "" } as const,
    ])
      expect(new Watch().cures(1000, [sign]).slice(0, 6)).deep.equal([
        "5 rejoin",
        "10 another",
        "20 rejoin",
        "40 another",
        "80 rejoin",
        "120 another",
      ]);
    const cures = new Watch().cures(2000, [HEARD]);
    expect(cures.filter((cure) => cure.includes("restart"))).deep.equal([]);
    expect(cures.length).below(60);
  });

  it("is left alone while its owner uses the pages, and for five minutes more", () => {
    const watch = new Watch();
    expect(watch.cures(100, [PAGE])).deep.equal([]);
    watch.atMs += 100_000;
    expect(watch.on(FAILED).effects).deep.equal([]);
    watch.atMs += 300_000;
    expect(watch.on(FAILED).effects.map(({ type }) => type)).include("raise");
  });

  it("is left alone during a trial, and the chip is not restarted during an update", () => {
    expect(new Watch().cures(1000, [], { ...CHECKING, isBusy: true })).deep.equal([]);
    const cures = new Watch().cures(1000, [], { ...CHECKING, isUpdating: true });
    expect(cures.filter((cure) => cure.includes("restart"))).deep.equal([]);
    expect(cures.length).above(5);
  });

  it("is not judged by what fails while it is away, or while nothing is asked", () => {
    const watch = new Watch().on({ type: "offline" });
    expect(watch.cures(4)).deep.equal([]);
    expect(new Watch().cures(1000, [], { ...CHECKING, isAsking: false })).deep.equal([]);
  });
});
