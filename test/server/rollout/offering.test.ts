import { expect } from "chai";
import { type Bound, describeRollouts, isWithheld } from "../../../server/shared/rollout-offering.js";

const of = (...states: readonly Bound["state"][]): Bound[] =>
  states.map((state, index) => ({ id: index + 1, name: `r${index + 1}`, state }));

describe("the effect of its rollouts on a release", () => {
  it("is none if there are none", () => {
    expect(describeRollouts([])).to.equal(undefined);
    expect(isWithheld([])).to.equal(false);
  });

  it("is that only running and finished ones offer it", () => {
    expect(describeRollouts(of("cancelled", "running", "finished"))).to.equal(
      'offered only to the devices of its rollouts 3 "r3" (finished), 2 "r2" (running)',
    );
    expect(isWithheld(of("cancelled", "running"))).to.equal(false);
  });

  it("is that no device is offered it if none does, with a hint where only an operator can help", () => {
    const reason = "offered to no device, because a release that has rollouts is offered by these only: ";
    expect(describeRollouts(of("paused", "cancelled"))).to.equal(
      `${reason}2 "r2" (cancelled), 1 "r1" (paused)`,
    );
    expect(describeRollouts(of("cancelled", "cancelled", "cancelled", "cancelled", "cancelled"))).to.equal(
      `${reason}5 "r5" (cancelled), 4 "r4" (cancelled), 3 "r3" (cancelled) and 2 more: make another one to offer it`,
    );
    for (const state of ["draft", "awaiting_approval", "scheduled", "paused", "cancelled"] as const)
      expect(isWithheld(of(state)), state).to.equal(true);
  });
});
