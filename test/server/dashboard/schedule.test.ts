import { expect } from "chai";
import {
  describe as describeTimes,
  findProblem,
  newSchedule,
  stateOf,
  toTerms,
} from "../../../server/dashboard/client/content/schedule.js";

const ALWAYS = { from: null, until: null, windows: null };
const span = (weekdays: number[], from = "08:00", to = "18:00") => ({ weekdays, from, to });
const weekly = (...spans: ReturnType<typeof span>[]) => ({
  ...ALWAYS,
  windows: { time_zone: "Europe/Berlin", spans },
});

describe("the schedule of a picture", () => {
  it("sends nothing if nothing was entered", () => {
    expect(toTerms(newSchedule())).deep.equal({});
    expect(findProblem(newSchedule())).equal("");
  });

  it("is sent with the time zone of this computer, whose local time was entered", () => {
    const local = "2026-12-01T08:00";
    const terms = toTerms({
      ...newSchedule(),
      from: local,
      isWeekly: true,
      weekdays: [7, 1],
      timeZone: "UTC",
    });
    expect(terms).deep.equal({
      from: new Date(2026, 11, 1, 8).toISOString(),
      windows: { time_zone: "UTC", spans: [span([1, 7])] },
    });
  });

  it("is refused before it is sent if it could never apply", () => {
    const [from, until] = ["2026-12-01T08:00", "2026-12-01T09:00"];
    expect(findProblem({ ...newSchedule(), from, until })).equal("");
    expect(findProblem({ ...newSchedule(), from, until: from })).include("after the beginning");
    expect(findProblem({ ...newSchedule(), isWeekly: true, weekdays: [] })).include("day of the week");
    expect(findProblem({ ...newSchedule(), isWeekly: true, end: "" })).include("start and end time");
    expect(findProblem({ ...newSchedule(), isWeekly: false, weekdays: [] })).equal("");
  });

  it("is described in words", () => {
    expect(describeTimes(ALWAYS)).equal("always");
    const from = new Date(2026, 11, 1, 8).toISOString();
    expect(describeTimes({ ...ALWAYS, from })).equal("from 1 Dec 2026, 08:00");
    expect(describeTimes(weekly(span([5, 1, 2, 3, 4])))).equal("Mon–Fri 08:00–18:00 (Europe/Berlin)");
    expect(describeTimes(weekly(span([6, 7]), span([1, 3], "22:00", "02:00")))).equal(
      "Sat, Sun 08:00–18:00, Mon, Wed 22:00–02:00 (Europe/Berlin)",
    );
    const all = [1, 2, 3, 4, 5, 6, 7];
    expect(describeTimes(weekly(span(all)))).equal("daily 08:00–18:00 (Europe/Berlin)");
    expect(describeTimes(weekly(span(all, "00:00", "00:00")))).equal("daily all day (Europe/Berlin)");
  });

  it("is in force, begins later, pauses or is over", () => {
    const now = Date.parse("2026-12-01T12:00:00Z");
    const [before, after] = ["2026-12-01T11:00:00Z", "2026-12-01T13:00:00Z"];
    const off = { ...ALWAYS, is_in_force: false };
    expect(stateOf({ ...ALWAYS, is_in_force: true }, now)).equal("on");
    expect(stateOf({ ...off, from: after }, now)).equal("waits");
    expect(stateOf({ ...off, until: before }, now)).equal("over");
    expect(stateOf({ ...off, from: before, until: after }, now)).equal("pauses");
  });
});
