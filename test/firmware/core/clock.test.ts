// What a device believes of time, whatever a server says. The kind: a number from outside that decides for longer than the answer that
// brought it. The given inputs are year 2200 and 0; the others of their kind are in the tables.

import { expect } from "chai";
import {
  type Clock,
  clockAtBoot,
  DAY_SECONDS,
  earliestAt,
  FLOOR_KEY,
  heardAt,
  provedAfter,
  tell,
  timeAt,
  toldAt,
} from "../../../firmware/core/clock.js";
import type { Effect } from "../../../firmware/core/effect.js";

/** 2026-11-21, a day before its build's date says. */
const BUILT = Date.UTC(2026, 10, 20) / 1000;
const BUILD_DATE = "Nov 21 2026";
const NOW = BUILT + 40 * DAY_SECONDS;
const YEAR = 365 * DAY_SECONDS;

const booted = (stored: Readonly<Record<string, string>> = {}, date: string | undefined = BUILD_DATE) =>
  clockAtBoot(date, stored);

/** A device whose NVS outlives its boots. */
class Device {
  readonly stored: Record<string, string> = {};
  clock: Clock;
  writeCount = 0;
  logs: string[] = [];

  constructor() {
    this.clock = this.boot();
  }
  boot(): Clock {
    this.clock = clockAtBoot(BUILD_DATE, this.stored);
    return this.clock;
  }
  told(time: number, at = 0): this {
    return this.#step(tell(this.clock, time, at));
  }
  proved(time: number, at = 0): this {
    return this.#step(provedAfter(this.clock, time, at));
  }
  #step([clock, effects]: readonly [Clock, readonly Effect[]]): this {
    this.clock = clock;
    for (const effect of effects) {
      if (effect.type === "log") this.logs.push(effect.message);
      if (effect.type !== "store") continue;
      this.stored[effect.key] = effect.value;
      this.writeCount += 1;
    }
    return this;
  }
}

const UNBELIEVABLE: Readonly<Record<string, number>> = {
  "0": 0,
  "-1": -1,
  "milliseconds instead of seconds": NOW * 1000,
  "1e12": 1e12,
  "year 2200": Date.UTC(2200, 0, 1) / 1000,
  "the last second of 32 bits": 0xffffffff,
  "2^53-1": Number.MAX_SAFE_INTEGER,
  "1e999": Number.POSITIVE_INFINITY,
  "-1e999": Number.NEGATIVE_INFINITY,
  NaN: Number.NaN,
  "an hour before the floor": BUILT - 3600,
};

describe("the time that a server says", () => {
  it("counts from its answer on, if it may be right", () => {
    const { clock } = new Device().told(NOW + 0.9, 5_000);
    expect(toldAt(clock, 5_000)).equal(NOW);
    expect(timeAt(clock, 65_999)).equal(NOW + 60);
  });

  for (const [what, time] of Object.entries(UNBELIEVABLE)) {
    it(`of ${what} is ignored: what was known before still counts`, () => {
      const never = new Device().told(time);
      expect(toldAt(never.clock, 0)).equal(undefined);
      expect(timeAt(never.clock, 60_000), "the build's date, and the count since the boot").equal(BUILT + 60);
      const known = new Device().told(NOW).told(time, 60_000);
      expect(timeAt(known.clock, 60_000)).equal(NOW + 60);
      expect(heardAt(known.clock, time, 60_000)).equal(NOW + 60);
      expect(never.writeCount + known.writeCount).equal(0);
    });
  }

  it("is logged once when it is not believed, until one is", () => {
    const device = new Device().told(0).told(-1).told(1e12);
    expect(device.logs).lengthOf(1);
    expect(device.logs[0]).include(`the server's time, 0, is not believed: it is between ${BUILT} and`);
    expect(device.told(NOW).told(0).logs).lengthOf(2);
  });

  it("never moves the floor, however it jumps back and forth, and is replaced by the next answer's", () => {
    const device = new Device();
    for (let n = 0; n < 50; n++) {
      device.told(BUILT + 29 * YEAR, n).told(NOW, n);
      expect(timeAt(device.clock, n)).equal(NOW);
    }
    expect(earliestAt(device.clock, 50)).equal(BUILT);
    expect(device.stored).deep.equal({});
    expect(timeAt(device.boot(), 0), "nothing is left of it").equal(BUILT);
  });

  it("may be a little behind the floor, as a server's clock is, and then the floor counts", () => {
    const device = new Device().told(BUILT - 10);
    expect(toldAt(device.clock, 0)).equal(BUILT - 10);
    expect(timeAt(device.clock, 0)).equal(BUILT);
    expect(device.logs).deep.equal([]);
  });
});

describe("the floor of time", () => {
  it("is the day before the build's date, which is local to where it was compiled", () => {
    for (const [date, expected] of [
      ["Nov 21 2026", Date.UTC(2026, 10, 20)],
      ["Jan  1 2027", Date.UTC(2026, 11, 31)],
      ["Mar  1 2028", Date.UTC(2028, 1, 29)],
      ["Dec 31 2099", Date.UTC(2099, 11, 30)],
    ] as const)
      expect(earliestAt(booted({}, date), 0), date).equal(expected / 1000);
  });

  it("of a build without a date that can be right is this source's", () => {
    for (const date of [
      "",
      "today",
      "Nov 21 1970",
      "Nov 21 9999",
      "nov 21 2026",
      "anF 21 2026",
      "2026-11-21",
    ])
      expect(earliestAt(booted({}, date), 0), date).equal(Date.UTC(2025, 0, 1) / 1000);
    expect(earliestAt(clockAtBoot(undefined, {}), 0)).equal(Date.UTC(2025, 0, 1) / 1000);
  });

  it("moves to the date of a release that was verified, over restarts, and never back", () => {
    const device = new Device().proved(NOW, 3_000);
    expect(earliestAt(device.clock, 3_000)).equal(NOW);
    device.proved(BUILT + DAY_SECONDS, 4_000).proved(0, 4_000);
    expect(earliestAt(device.clock, 4_000)).equal(NOW + 1);
    expect(earliestAt(device.boot(), 0)).equal(NOW);
    expect(device.told(NOW - 3600).told(0).clock.told, "an older time is not believed").equal(undefined);
  });

  it("cannot be pushed beyond all reason by a release that a wrong clock has dated", () => {
    for (const created of [0xffffffff, BUILT + 31 * YEAR, Number.MAX_SAFE_INTEGER])
      expect(earliestAt(new Device().proved(created).clock, 0), `${created}`).equal(BUILT);
    const device = new Device().told(NOW).proved(NOW + 2 * DAY_SECONDS);
    expect(earliestAt(device.clock, 0), "two days after the server's time").equal(BUILT);
  });

  it("moves with the device's own count, and is stored once a day", () => {
    const device = new Device();
    const minutes = 3 * 24 * 60;
    for (let minute = 0; minute <= minutes; minute += 2) device.told(NOW + minute * 60, minute * 60_000);
    expect(device.writeCount).equal(3);
    expect(Number(device.stored[FLOOR_KEY])).equal(BUILT + 3 * DAY_SECONDS);
    expect(earliestAt(device.boot(), 0)).equal(BUILT + 3 * DAY_SECONDS);
  });

  it("is not taken from NVS when it cannot be right", () => {
    for (const text of ["", "x", "1e3", "-5", "99999999999", `${BUILT + 31 * YEAR}`, "4294967295", " 5"])
      expect(earliestAt(booted({ [FLOOR_KEY]: text }), 0), text).equal(BUILT);
    expect(earliestAt(booted({ [FLOOR_KEY]: `${NOW}` }), 0)).equal(NOW);
    expect(FLOOR_KEY.length).at.most(15);
  });
});
