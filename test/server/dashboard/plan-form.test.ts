import { Value } from "@sinclair/typebox/value";
import { expect } from "chai";
import { patchPlan } from "../../../server/api/rollout-patch.js";
import { RolloutBody } from "../../../server/api/rollout-schemas.js";
import { patchBetween } from "../../../server/dashboard/client/rollouts/merge-patch.js";
import {
  formOf,
  newPlanForm,
  newStage,
  newWindow,
  type PlanForm,
  readPlanForm,
} from "../../../server/dashboard/client/rollouts/plan-form.js";
import { viewRollout } from "../../../server/shared/rollout-view.js";
import { NOW, sampleRollout, sampleStage } from "../rollout/samples.js";

const blank = newPlanForm("3", "Europe/Berlin");
const form = (changes: Partial<PlanForm> = {}): PlanForm => ({
  ...blank,
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
  it("has initial values that the server accepts", () => {
    const request = requestOf();
    expect([...Value.Errors(RolloutBody, request)]).deep.equal([]);
    expect(request).deep.include({ firmware_id: 3, target: {}, priority: 0, needs_approval: false });
    expect(request.stages).deep.equal([
      { soak_seconds: 3600, min_validated: 1, min_validated_fraction: 0.9, percent: 10 },
      { soak_seconds: 3600, min_validated: 1, min_validated_fraction: 0.9, percent: 100 },
    ]);
    expect(request.gates).deep.equal({
      max_failed_fraction: 0.1,
      max_rolled_back_fraction: 0.05,
      max_silent_fraction: 0.2,
      silent_seconds: 3600,
      min_samples: 5,
    });
    expect(request).not.to.have.any.keys("windows", "max_concurrent", "start_at", "name");
  });

  it("covers every field of a request", () => {
    const request = requestOf({
      name: " spring ",
      stages: [{ ...newStage("lab, bench ,lab"), by: "groups", soak_seconds: "1,5" }, newStage("100 %")],
      target: { ...blank.target, tags: "beta, hall 2", devices: "base-1\nbase-2", from_version: "1.0.0" },
      max_concurrent: "50",
      start_at: "2026-12-01T02:00",
      windows: [{ weekdays: [7, 1], from: "02:00", to: "05:00" }, newWindow()],
      lease_seconds: "45",
      gates: { ...blank.gates, silent_seconds: "90" },
      force: "reinstall",
      needs_approval: true,
    });
    expect([...Value.Errors(RolloutBody, request)]).deep.equal([]);
    expect(request).deep.include({ name: "spring", max_concurrent: 50, needs_approval: true });
    expect(request.stages?.[0]).deep.equal({
      soak_seconds: 90,
      min_validated: 1,
      min_validated_fraction: 0.9,
      groups: ["lab", "bench"],
    });
    expect(request.target).deep.equal({
      tags: ["beta", "hall 2"],
      devices: ["base-1", "base-2"],
      from_version: "1.0.0",
    });
    expect(request.windows).deep.equal({
      time_zone: "Europe/Berlin",
      spans: [
        { weekdays: [1, 7], from: "02:00", to: "05:00" },
        { weekdays: [1, 2, 3, 4, 5], from: "02:00", to: "05:00" },
      ],
    });
    expect(request).deep.include({ lease_seconds: 2700, force: "reinstall" });
    expect(request.gates?.silent_seconds).equal(5400);
    expect(request.start_at).equal(new Date("2026-12-01T02:00").toISOString());
  });

  it("validates each field", () => {
    const problems = problemsOf({
      firmware_id: "",
      stages: [
        { ...newStage("0"), soak_seconds: "-1", min_validated: "1.5" },
        { ...newStage(""), by: "groups" },
      ],
      gates: { ...blank.gates, max_failed_fraction: "101", min_samples: "many", silent_seconds: "" },
      max_concurrent: "0",
      start_at: "tomorrow",
      windows: [newWindow(), { weekdays: [], from: "", to: "" }],
      lease_seconds: "0.5",
    });
    expect(Object.keys(problems).sort()).deep.equal([
      "firmware_id",
      "gates.max_failed_fraction",
      "gates.min_samples",
      "gates.silent_seconds",
      "lease_seconds",
      "max_concurrent",
      "stages.0.min_validated",
      "stages.0.soak_seconds",
      "stages.0.value",
      "stages.1.value",
      "start_at",
      "windows.1.from",
      "windows.1.to",
      "windows.1.weekdays",
    ]);
  });

  it("refuses a stage that adds no devices to those before it", () => {
    expect(problemsOf({ stages: [newStage("50"), newStage("50")] })).deep.equal({
      "stages.1.value": "This adds no devices: the stages before it already have 50 %.",
    });
  });
});

describe("the form of an existing rollout", () => {
  /** Much of it has no field in the form and must be preserved. */
  const rollout = sampleRollout({
    target: { tags: ["lab", "beta"], fromVersion: "1.0.0" },
    stages: [
      sampleStage(10, { name: "canaries", soakMs: 1001, minValidatedFraction: 0.07 }),
      { name: "a, b", groups: ["a", "b"], soakMs: 0, minValidatedCount: 2, minValidatedFraction: 0.8 },
      sampleStage(100),
    ],
    gates: { ...sampleRollout().gates, silentAfterMs: 7_200_000 },
    windows: {
      timeZone: "Asia/Tokyo",
      spans: [
        { weekdays: [1], from: "01:00", to: "02:00" },
        { weekdays: [2], from: "03:00", to: "04:00" },
      ],
    },
    startAt: NOW + 1234,
    leaseMs: 77_000,
    force: "reinstall",
    priority: -3,
  });
  const initial = formOf(JSON.parse(JSON.stringify(viewRollout(rollout))), "Europe/Berlin");
  const patchOf = (changes: Partial<PlanForm>) => {
    const [before, after] = [readPlanForm(initial), readPlanForm({ ...initial, ...changes })];
    if (!before.ok || !after.ok) throw new Error("the form does not stand for the rollout");
    return patchBetween(before.request, after.request);
  };
  const afterwards = (changes: Partial<PlanForm>) => patchPlan(rollout, patchOf(changes));
  const plan = patchPlan(rollout, {});

  it("changes nothing when it opens", () => {
    expect(patchOf({})).deep.equal({});
    expect(rollout).deep.include(plan);
  });

  it("sends what differs, and preserves what it does not show", () => {
    const target = { ...initial.target, tags: "", to_version: "2.0.0" };
    const gates = { ...initial.gates, max_silent_fraction: "30" };
    expect(patchOf({ target, gates, name: "x" })).deep.equal({
      name: "x",
      target: { tags: null, to_version: "2.0.0" },
      gates: { max_silent_fraction: 0.3 },
    });
    expect(afterwards({ gates })).deep.equal({
      ...plan,
      gates: { ...plan.gates, maxSilentFraction: 0.3 },
    });
    expect(afterwards({ start_at: "", windows: [] })).deep.equal({
      ...plan,
      startAt: null,
      windows: null,
    });
  });

  it("adds, changes and removes windows beside those that stay", () => {
    const { windows } = formOf(JSON.parse(JSON.stringify(viewRollout(rollout))), "UTC");
    const [first, second] = windows;
    expect(windows).deep.equal(rollout.windows?.spans);
    const spansOf = (next: PlanForm["windows"]) => afterwards({ windows: next }).windows?.spans;
    expect(spansOf([...windows, newWindow()])).deep.equal([first, second, newWindow()]);
    expect(spansOf(second ? [second] : [])).deep.equal([second]);
    expect(afterwards({ time_zone: "UTC" }).windows).deep.equal({ timeZone: "UTC", spans: windows });
  });

  it("changes the lease, what it offers, and when a device counts as silent", () => {
    const gates = { ...initial.gates, silent_seconds: "3" };
    expect(patchOf({ lease_seconds: "5", force: "none", gates })).deep.equal({
      lease_seconds: 300,
      force: "none",
      gates: { silent_seconds: 180 },
    });
  });

  it("keeps the names and conditions of stages beside one that changes", () => {
    const { stages } = formOf(JSON.parse(JSON.stringify(viewRollout(rollout))), "UTC");
    expect(stages.map(({ name }) => name)).deep.equal(["canaries", "", ""]);
    const wanted = [...stages.slice(0, 2), newStage("50"), ...stages.slice(2)];
    const changed = afterwards({ stages: wanted }).stages;
    expect(changed.map(({ name }) => name)).deep.equal(["canaries", "a, b", "50 %", "100 %"]);
    expect([changed[0], changed[1], changed[3]]).deep.equal(rollout.stages);
  });
});
