import { expect } from "chai";
import { AT_ONCE, type Schedule, waitMs } from "../../../../firmware/core/system/schedule.js";

/** 2026-11-30, a time of day in UTC. */
const at = (hour: number, minute = 0) =>
  1_796_083_200 - (1_796_083_200 % 86_400) + hour * 3_600 + minute * 60;
const HOUR_MS = 3_600_000;

const NIGHT: Schedule = { startMinute: 22 * 60, endMinute: 4 * 60, notBefore: 0 };
const NOON: Schedule = { startMinute: 12 * 60, endMinute: 13 * 60, notBefore: 0 };

describe("the schedule of updates", () => {
  it("without any time lets them begin at once, also where the time is not known", () => {
    expect(waitMs(AT_ONCE, undefined)).equal(0);
    expect(waitMs(AT_ONCE, at(3))).equal(0);
  });

  it("opens and closes its window to the minute, across midnight too", () => {
    for (const [schedule, time, wait] of [
      [NOON, at(12), 0],
      [NOON, at(12, 59) + 59, 0],
      [NOON, at(13), HOUR_MS],
      [NOON, at(11, 59), 60_000],
      [NIGHT, at(22), 0],
      [NIGHT, at(0), 0],
      [NIGHT, at(3, 59), 0],
      [NIGHT, at(4), HOUR_MS],
      [NIGHT, at(21, 30), HOUR_MS / 2],
    ] as const)
      expect(waitMs(schedule, time), `${schedule.startMinute} ${time % 86_400}`).equal(wait);
  });

  it("waits for its date, and then for its window", () => {
    const later = { ...NOON, notBefore: at(12, 30) };
    expect(waitMs(later, at(12, 10))).equal(20 * 60_000);
    expect(waitMs(later, at(12, 30))).equal(0);
    expect(waitMs({ ...AT_ONCE, notBefore: at(12) }, at(12) - 1)).equal(1_000);
    expect(waitMs({ ...AT_ONCE, notBefore: at(12) }, at(12))).equal(0);
  });

  it("never waits longer than an hour before it asks again, and does not guess a time", () => {
    expect(waitMs({ ...AT_ONCE, notBefore: 0xffffffff }, at(0))).equal(HOUR_MS);
    expect(waitMs(NIGHT, undefined)).equal(HOUR_MS);
    expect(waitMs({ ...AT_ONCE, notBefore: 1 }, undefined)).equal(HOUR_MS);
  });
});
