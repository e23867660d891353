import { expect } from "chai";
import { chooseAssignment } from "../../../server/content/choice.js";
import type { ContentAssignment, ContentAudience } from "../../../server/store/store.js";

const NOON = Date.UTC(2026, 10, 21, 12);
const HOUR_MS = 3_600_000;
const HALL: ContentAudience = { deviceId: "hall", type: "cms", group: "berlin" };

let lastId = 0;
const assign = (
  kind: ContentAssignment["target"]["kind"],
  name = "",
  changes: Partial<ContentAssignment> = {},
): ContentAssignment => ({
  id: ++lastId,
  imageId: 1,
  target: { kind, name },
  from: null,
  until: null,
  windows: null,
  createdBy: "ada",
  createdAt: NOON,
  ...changes,
});
const choose = (list: readonly ContentAssignment[], audience = HALL, now = NOON) =>
  chooseAssignment(audience, list, now);

describe("the choice of a picture", () => {
  it("is empty if nothing is assigned, or to others only", () => {
    expect(choose([])).equal(undefined);
    const others = [assign("device", "cms"), assign("group", "hall"), assign("type", "berlin")];
    expect(choose(others)).equal(undefined);
  });

  it("prefers the device to its group, its type and all devices, whatever is newer", () => {
    const ranked = [
      assign("device", "hall"),
      assign("group", "berlin"),
      assign("type", "cms"),
      assign("default"),
    ];
    for (let count = ranked.length; count > 0; count--) {
      const left = ranked.slice(-count);
      expect(choose(left)).equal(left[0]);
      expect(choose([...left].reverse())).equal(left[0]);
    }
  });

  it("is the newest of those that are equally specific", () => {
    const [older, newer] = [assign("group", "berlin"), assign("group", "berlin")];
    expect(choose([older, newer])).equal(newer);
    expect(choose([newer, older])).equal(newer);
  });

  it("ignores groups for a device without one, and types for a device that has made no check", () => {
    const stranger = { deviceId: "hall", type: undefined, group: null };
    const all = assign("default");
    expect(choose([assign("group", ""), assign("type", ""), all], stranger)).equal(all);
  });

  it("applies from its start until before its end, and otherwise falls back to the less specific", () => {
    const rest = assign("default");
    const timed = assign("device", "hall", { from: NOON, until: NOON + HOUR_MS });
    const at = (now: number) => choose([timed, rest], HALL, now);
    expect(at(NOON - 1)).equal(rest);
    expect(at(NOON)).equal(timed);
    expect(at(NOON + HOUR_MS - 1)).equal(timed);
    expect(at(NOON + HOUR_MS)).equal(rest);
  });

  it("follows times of the week in their time zone", () => {
    // Noon in UTC on a Saturday is one o'clock in Berlin.
    const spans = [{ weekdays: [6], from: "13:00", to: "14:00" }];
    const lunch = assign("type", "cms", { windows: { timeZone: "Europe/Berlin", spans } });
    expect(choose([lunch])).equal(lunch);
    expect(choose([lunch], HALL, NOON - 1)).equal(undefined);
    expect(choose([lunch], HALL, NOON + HOUR_MS)).equal(undefined);
    expect(choose([lunch], HALL, NOON + 24 * HOUR_MS)).equal(undefined);
  });
});
