import { expect } from "chai";
import { newPlanForm, readPlanForm } from "../../../server/dashboard/client/rollouts/plan-form.js";
import { PACES, paceOf, presetOf } from "../../../server/dashboard/client/rollouts/presets.js";

describe("the paces that a rollout begins with", () => {
  const fresh = newPlanForm("1", "UTC");

  it("are whole plans, and the form recognizes each", () => {
    for (const [pace] of PACES) {
      const form = { ...fresh, ...presetOf(pace) };
      expect(readPlanForm(form).ok, pace).to.equal(true);
      expect(paceOf(form)).to.equal(pace);
    }
  });

  it("begin with the normal one, which is what the server does by default", () => {
    expect(paceOf(fresh)).to.equal("normal");
  });

  it("are none of them once a stage or a gate differs, whatever the stages are called", () => {
    const [first, ...rest] = fresh.stages;
    if (!first) throw new Error("there is no stage");
    expect(paceOf({ ...fresh, stages: [{ ...first, name: "canaries" }, ...rest] })).to.equal("normal");
    expect(paceOf({ ...fresh, stages: [{ ...first, value: "11" }, ...rest] })).to.equal(undefined);
    expect(paceOf({ ...fresh, stages: rest })).to.equal(undefined);
    expect(paceOf({ ...fresh, gates: { ...fresh.gates, min_samples: "6" } })).to.equal(undefined);
  });

  it("end with every device", () => {
    for (const [pace] of PACES) expect(presetOf(pace).stages.at(-1)?.value, pace).to.equal("100");
  });
});
