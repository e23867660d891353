import { Value } from "@sinclair/typebox/value";
import { expect } from "chai";
import { RolloutBody } from "../../../server/api/rollout-schemas.js";
import {
  newPlanForm,
  newStage,
  type PlanForm,
  readPlanForm,
} from "../../../server/dashboard/client/rollouts/plan-form.js";

const form = (changes: Partial<PlanForm> = {}): PlanForm => ({
  ...newPlanForm("3", "Europe/Berlin"),
  ...changes,
});
const requestOf = (changes: Partial<PlanForm> = {}) => {
  const read = readPlanForm(form(changes));
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.request;
};
const problemsOf = (changes: Partial<PlanForm>) => {
  const read = readPlanForm(form(changes));
  return read.ok ? {} : read.problems;
};

describe("the form of a new rollout", () => {
  it("stands for a request that the server takes, as it opens", () => {
    const request = requestOf();
    expect([...Value.Errors(RolloutBody, request)]).deep.equal([]);
    expect(request).deep.include({ firmware_id: 3, target: {}, priority: 0, needs_approval: false });
    expect(request.stages).deep.equal([
      { soak_seconds: 3600, min_validated: 1, percent: 10 },
      { soak_seconds: 3600, min_validated: 1, percent: 100 },
    ]);
    expect(request.gates).deep.equal({
      max_failed_fraction: 0.1,
      max_rolled_back_fraction: 0.05,
      max_silent_fraction: 0.2,
      min_samples: 5,
    });
    expect(request).not.to.have.any.keys("windows", "max_concurrent", "start_at", "name");
  });

  it("stands for all that can be told", () => {
    const request = requestOf({
      name: " spring ",
      stages: [{ ...newStage("lab, bench ,lab"), by: "groups", soakMinutes: "1,5" }, newStage("100 %")],
      tags: "beta, hall 2",
      devices: "base-1\nbase-2",
      fromVersion: "1.0.0",
      maxConcurrent: "50",
      startAt: "2026-12-01T02:00",
      hasWindow: true,
      weekdays: [7, 1],
      needsApproval: true,
    });
    expect([...Value.Errors(RolloutBody, request)]).deep.equal([]);
    expect(request).deep.include({ name: "spring", max_concurrent: 50, needs_approval: true });
    expect(request.stages?.[0]).deep.equal({ soak_seconds: 90, min_validated: 1, groups: ["lab", "bench"] });
    expect(request.target).deep.equal({
      tags: ["beta", "hall 2"],
      devices: ["base-1", "base-2"],
      from_version: "1.0.0",
    });
    expect(request.windows).deep.equal({
      time_zone: "Europe/Berlin",
      spans: [{ weekdays: [1, 7], from: "02:00", to: "05:00" }],
    });
    expect(request.start_at).equal(new Date("2026-12-01T02:00").toISOString());
  });

  it("says of each field what it needs", () => {
    const problems = problemsOf({
      firmwareId: "",
      stages: [
        { ...newStage("0"), soakMinutes: "-1", minValidated: "1.5" },
        { ...newStage(""), by: "groups" },
      ],
      maxFailedPercent: "101",
      minSamples: "many",
      maxConcurrent: "0",
      startAt: "tomorrow",
      hasWindow: true,
      weekdays: [],
    });
    expect(Object.keys(problems).sort()).deep.equal([
      "firmwareId",
      "maxConcurrent",
      "maxFailedPercent",
      "minSamples",
      "stages.0.minValidated",
      "stages.0.soakMinutes",
      "stages.0.value",
      "stages.1.value",
      "startAt",
      "weekdays",
    ]);
  });

  it("refuses a stage that adds nobody to those before it", () => {
    expect(problemsOf({ stages: [newStage("50"), newStage("50")] })).deep.equal({
      "stages.1.value": "This adds nobody: the stages before it have 50 % already.",
    });
  });
});
