import { expect } from "chai";
import { isCounted, standingOf, vouchFor } from "../../../server/devices/vouching.js";

const BEGAN = 1000;
const rollout = { startedAt: BEGAN };
const known = { state: "approved", deviceType: "base", vouchedType: null, typeSince: BEGAN + 1 } as const;

describe("whether a rollout counts a device", () => {
  it("depends on who vouched for it, or else on whether it was known before the rollout began", () => {
    expect(isCounted(standingOf(known), rollout)).to.equal(false);
    expect(isCounted(standingOf({ ...known, typeSince: BEGAN }), rollout)).to.equal(true);
    const vouched = { ...known, ...vouchFor("base", "approval", "ada", BEGAN + 5) };
    expect(isCounted(standingOf(vouched), rollout)).to.equal(true);
  });

  it("is not decided by whoever vouched for it as another type", () => {
    const moved = { ...known, ...vouchFor("led", "enrolment", "batch 7", 1) };
    expect(isCounted(standingOf(moved), rollout)).to.equal(false);
  });

  it("is no as long as it is not approved, however long it is known and whoever vouched for it", () => {
    for (const state of ["pending", "blocked"] as const) {
      const vouched = { ...known, ...vouchFor("base", "token", "ada", 1), state, typeSince: 1 };
      expect(isCounted(standingOf(vouched), rollout), state).to.equal(false);
      expect(isCounted(standingOf(vouched), { startedAt: null }), state).to.equal(false);
    }
  });

  it("is yes for all that are known while it has not begun, and for those from before there were identities", () => {
    expect(isCounted(standingOf(known), { startedAt: null })).to.equal(true);
    expect(isCounted(standingOf(undefined), rollout)).to.equal(true);
  });
});
