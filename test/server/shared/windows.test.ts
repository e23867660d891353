import { expect } from "chai";
import type { Windows } from "../../../server/shared/rollout.js";
import { checkWindows, isOpen, nextOpening } from "../../../server/shared/windows.js";
import { randomFrom } from "../rollout/samples.js";

const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const windows = (timeZone: string, from: string, to: string, weekdays = EVERY_DAY): Windows => ({
  timeZone,
  spans: [{ weekdays, from, to }],
});
const at = (text: string) => Date.parse(text);

describe("the windows of a rollout", () => {
  it("are always open if there are none", () => {
    expect(isOpen(null, 0)).to.equal(true);
    expect(nextOpening(null, 5)).to.equal(5);
  });

  it("use their time zone", () => {
    const night = windows("Europe/Berlin", "02:00", "04:00");
    expect(isOpen(night, at("2026-01-10T00:59:59Z"))).to.equal(false);
    expect(isOpen(night, at("2026-01-10T01:00:00Z"))).to.equal(true);
    expect(isOpen(night, at("2026-01-10T02:59:59Z"))).to.equal(true);
    expect(isOpen(night, at("2026-01-10T03:00:00Z"))).to.equal(false);
    expect(isOpen(night, at("2026-07-10T00:00:00Z"))).to.equal(true);
    expect(isOpen(windows("Asia/Kathmandu", "02:00", "04:00"), at("2026-01-09T20:15:00Z"))).to.equal(true);
  });

  it("extend past midnight into the day after their weekday", () => {
    const friday = windows("UTC", "22:00", "02:00", [5]);
    expect(isOpen(friday, at("2026-11-20T21:59:00Z"))).to.equal(false);
    expect(isOpen(friday, at("2026-11-20T22:00:00Z"))).to.equal(true);
    expect(isOpen(friday, at("2026-11-21T01:59:00Z"))).to.equal(true);
    expect(isOpen(friday, at("2026-11-21T02:00:00Z"))).to.equal(false);
    expect(isOpen(friday, at("2026-11-21T23:00:00Z"))).to.equal(false);
    expect(isOpen(windows("UTC", "22:00", "02:00", [7]), at("2026-11-23T01:00:00Z"))).to.equal(true);
  });

  it("cover the whole day when they end where they begin", () => {
    const saturday = windows("UTC", "00:00", "00:00", [6]);
    expect(isOpen(saturday, at("2026-11-21T00:00:00Z"))).to.equal(true);
    expect(isOpen(saturday, at("2026-11-21T23:59:59Z"))).to.equal(true);
    expect(isOpen(saturday, at("2026-11-22T00:00:00Z"))).to.equal(false);
  });

  it("do not open in the hour that is skipped when clocks go forward", () => {
    // Berlin, 29 March 2026: 02:00 becomes 03:00.
    const gap = windows("Europe/Berlin", "02:15", "02:45");
    expect(nextOpening(gap, at("2026-03-29T00:00:00Z"))).to.equal(at("2026-03-30T00:15:00Z"));
    // A window that extends beyond the skipped hour opens when that ends.
    const over = windows("Europe/Berlin", "02:30", "04:00");
    expect(nextOpening(over, at("2026-03-29T00:00:00Z"))).to.equal(at("2026-03-29T01:00:00Z"));
  });

  it("are open twice in the hour that is repeated when clocks go back", () => {
    // Berlin, 25 October 2026: 03:00 becomes 02:00.
    const twice = windows("Europe/Berlin", "02:15", "02:45");
    expect(nextOpening(twice, at("2026-10-25T00:00:00Z"))).to.equal(at("2026-10-25T00:15:00Z"));
    expect(isOpen(twice, at("2026-10-25T00:50:00Z"))).to.equal(false);
    expect(nextOpening(twice, at("2026-10-25T00:50:00Z"))).to.equal(at("2026-10-25T01:15:00Z"));
  });

  it("find their next opening to the minute, also in zones with half and quarter hours", () => {
    expect(nextOpening(windows("UTC", "03:07", "03:08", [1]), at("2026-11-21T12:00:00Z"))).to.equal(
      at("2026-11-23T03:07:00Z"),
    );
    expect(
      nextOpening(windows("Australia/Lord_Howe", "02:10", "05:00"), at("2026-10-03T15:00:00Z")),
    ).to.equal(at("2026-10-03T15:30:00Z"));
  });

  it("never return a closed time as the next opening, or skip an earlier one", () => {
    const random = randomFrom(1);
    const zones = [
      "UTC",
      "Europe/Berlin",
      "America/New_York",
      "Asia/Kolkata",
      "Australia/Lord_Howe",
      "America/St_Johns",
    ];
    const clock = () => {
      const minute = Math.floor(random() * 1440);
      return `${`${Math.floor(minute / 60)}`.padStart(2, "0")}:${`${minute % 60}`.padStart(2, "0")}`;
    };
    let openedCount = 0;
    for (let run = 0; run < 60; run++) {
      const weekdays = EVERY_DAY.filter(() => random() < 0.5);
      const own = windows(
        zones[run % zones.length] ?? "UTC",
        clock(),
        clock(),
        weekdays.length > 0 ? weekdays : [1],
      );
      const now = Date.UTC(2026, 0, 1) + Math.floor(random() * 365 * 24 * 60) * 60_000;
      const next = nextOpening(own, now);
      if (next === undefined) continue;
      openedCount++;
      expect(isOpen(own, next), `run ${run}`).to.equal(true);
      if (next === now) continue;
      expect(isOpen(own, next - 60_000), `run ${run}: the minute before`).to.equal(false);
      for (let probe = 0; probe < 20; probe++) {
        expect(isOpen(own, now + Math.floor(random() * (next - now))), `run ${run}`).to.equal(false);
      }
    }
    expect(openedCount).to.be.above(50);
  });

  it("say what is wrong with them", () => {
    expect(checkWindows(windows("Europe/Berlin", "01:00", "02:00"))).to.equal(undefined);
    expect(checkWindows(windows("Mars/Olympus", "01:00", "02:00"))).to.match(
      /"Mars\/Olympus" is not a time zone/,
    );
    expect(checkWindows({ timeZone: "UTC", spans: [] })).to.match(/never open/);
    expect(checkWindows(windows("UTC", "01:00", "02:00", []))).to.match(/no weekday/);
  });
});
