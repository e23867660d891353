import { expect } from "chai";
import { showTimesIn, toDay, toMinute, toSecond } from "../../../server/cli/times.js";

describe("times of the command line", () => {
  afterEach(() => showTimesIn(undefined));

  it("have their zone, and the day that it is there", () => {
    const time = "2026-06-30T22:47:24.123Z";
    for (const [zone, day, minute, second] of [
      ["UTC", "2026-06-30", "2026-06-30 22:47 UTC", "2026-06-30 22:47:24 UTC"],
      ["Europe/Berlin", "2026-07-01", "2026-07-01 00:47 +02:00", "2026-07-01 00:47:24 +02:00"],
      ["America/St_Johns", "2026-06-30", "2026-06-30 20:17 -02:30", "2026-06-30 20:17:24 -02:30"],
    ] as const) {
      showTimesIn(zone);
      expect([toDay(time), toMinute(time), toSecond(time)], zone).deep.equal([day, minute, second]);
    }
    showTimesIn("Europe/Berlin");
    expect(toMinute("2026-12-31T23:00:00Z"), "in winter, at midnight").equal("2027-01-01 00:00 +01:00");
  });

  it("stay what they are if they are none", () => {
    expect([toDay(null), toMinute(undefined), toSecond("soon")]).deep.equal([undefined, undefined, "soon"]);
  });
});
