import { expect } from "chai";
import { edit } from "../../../server/rollout/edit.js";
import { command } from "../../../server/rollout/lifecycle.js";
import { nameAuthors, type Rollout, type RolloutPlan } from "../../../server/shared/rollout.js";
import { HOUR, NOW, randomFrom, sampleRollout, sampleStage } from "./samples.js";

const STAGES = [sampleStage(10), sampleStage(50), sampleStage(100)];
/** In its second stage. */
const begun = (changes: Partial<Rollout> = {}) => sampleRollout({ stages: STAGES, stage: 1, ...changes });
const change = (rollout: Rollout, plan: Partial<RolloutPlan>, actor = "ben") =>
  edit(rollout, { ...rollout, ...plan }, actor, NOW + HOUR);
const edited = (rollout: Rollout, plan: Partial<RolloutPlan>, actor?: string): Rollout => {
  const result = change(rollout, plan, actor);
  if (!result.ok) throw new Error(result.message);
  return result.rollout;
};
const refusal = (rollout: Rollout, plan: Partial<RolloutPlan>): string => {
  const result = change(rollout, plan);
  return result.ok ? "" : `${result.code} ${result.message}`;
};

describe("a change of a rollout", () => {
  it("may change everything before it has begun, and increments the revision", () => {
    const plan: Partial<RolloutPlan> = {
      name: "other",
      firmwareId: 2,
      seed: "another",
      target: { tags: ["lab"] },
      stages: [sampleStage(100)],
      startAt: NOW + 2 * HOUR,
      force: "reinstall",
      priority: 3,
      maxConcurrentCount: 1,
      needsApproval: true,
    };
    for (const state of ["draft", "scheduled", "paused"] as const) {
      const after = edited(begun({ state, startedAt: null, stageSizes: [1, 2, 3], sizesAt: NOW }), plan);
      expect(after, state).to.include({ ...plan, revision: 2, editedBy: "ben", updatedAt: NOW + HOUR });
      expect(after.stageSizes, state).to.deep.equal([]);
      expect(after.state).to.equal(state === "scheduled" ? "awaiting_approval" : state);
    }
  });

  it("may move a scheduled start, also to now", () => {
    const scheduled = sampleRollout({ state: "scheduled", startedAt: null, startAt: NOW + 9 * HOUR });
    expect(edited(scheduled, { startAt: NOW + 2 * HOUR })).to.include({
      state: "scheduled",
      reason: "changed by ben, begins at 2026-11-21T14:00:00.000Z",
    });
    expect(edited(scheduled, { startAt: null })).to.include({ state: "running", startedAt: NOW + HOUR });
  });

  it("preserves the devices of a rollout that has begun: safe changes are applied, others refused with the reason", () => {
    const before = begun({ target: { tags: ["a", "b"] }, stageSizes: [1, 5, 10], reason: "why it runs" });
    const gates = { ...before.gates, maxFailedFraction: 0.5 };
    const windows = { timeZone: "UTC", spans: [{ weekdays: [1], from: "01:00", to: "02:00" }] };
    const safe = { name: "n", gates, windows, maxConcurrentCount: 2, leaseMs: 60_000, priority: 9 };
    const after = edited(before, safe);
    expect(after).to.deep.include({
      ...safe,
      state: "running",
      reason: "why it runs",
      stageSizes: [1, 5, 10],
    });
    const refused: readonly (readonly [Partial<RolloutPlan>, RegExp])[] = [
      [{ firmwareId: 2 }, /the release of rollout 1 cannot be changed: devices have been offered it/],
      [{ seed: "x" }, /seed .* has chosen the devices/],
      [{ startAt: NOW }, /start .* it has begun/],
      [{ force: "any_order" }, /force .* make another rollout/],
      [{ needsApproval: true }, /approval .* it has begun/],
      [{ target: {} }, /target .* devices that tags would add skip the stages that have begun/],
      [{ target: { tags: ["a", "c"] } }, /devices that tags would add/],
    ];
    for (const state of ["running", "paused"] as const)
      for (const [plan, message] of refused)
        expect(refusal({ ...before, state }, plan))
          .to.match(message)
          .and.to.match(/^EDIT_UNSAFE/);
    for (const state of ["finished", "cancelled"] as const)
      expect(refusal(begun({ state }), { name: "x" })).to.match(/^STATE_WRONG .*make another/);
  });

  it("may change stages that have not begun, and the conditions of the open one", () => {
    const [first = sampleStage(10), second = sampleStage(50)] = STAGES;
    const before = begun({ stageSizes: [1, 5, 10], sizesAt: NOW });
    const stages = [first, { ...second, soakMs: 0 }, sampleStage(70), sampleStage(100)];
    expect(edited(before, { stages })).to.deep.include({ stages, stage: 1, stageSizes: [], sizesAt: 0 });
    expect(edited(before, { stages: [first, second] }).stages).to.have.length(2);
    const cases: readonly (readonly [RolloutPlan["stages"], RegExp])[] = [
      [[first], /stage 2 "50 %" has begun and cannot be removed/],
      [[first, sampleStage(60)], /stage 2 "50 %" has begun, its devices stay as they are/],
      [[{ ...first, soakMs: 0 }, second], /stage 1 "10 %" has begun, and is over/],
      [[{ ...sampleStage(10), percent: undefined, groups: ["lab"] } as never, second], /its devices stay/],
    ];
    for (const [wanted, message] of cases) expect(refusal(before, { stages: wanted })).to.match(message);
  });

  it("may make a target narrower, never wider", () => {
    const cases: readonly (readonly [RolloutPlan["target"], RolloutPlan["target"], boolean])[] = [
      [
        {},
        { hardware: ["x"], groups: ["g"], devices: ["d"], fromVersion: "1.0.0", toVersion: "1.2.0" },
        true,
      ],
      [{ devices: ["a", "b"] }, { devices: ["b"] }, true],
      [{ devices: ["a"] }, { devices: ["a", "b"] }, false],
      [{ groups: ["a"] }, {}, false],
      [{ fromVersion: "1.0.0" }, { fromVersion: "1.1.0" }, true],
      [{ fromVersion: "1.0.0" }, { fromVersion: "0.9.0" }, false],
      [{ fromVersion: "1.0.0" }, {}, false],
      [{ toVersion: "1.1.0" }, { toVersion: "1.1.0+3" }, true],
      [{ toVersion: "1.1.0+3" }, { toVersion: "1.1.0" }, false],
      [{ toVersion: "1.1.0" }, { fromVersion: "1.0.0" }, false],
    ];
    for (const [target, wanted, isSafe] of cases)
      expect(change(begun({ target }), { target: wanted }).ok, JSON.stringify([target, wanted])).to.equal(
        isSafe,
      );
  });

  it("invalidates an approval of the earlier plan, but not when only the name changes", () => {
    const approved = begun({ needsApproval: true, approvedBy: "bob" });
    expect(edited(approved, { name: "x" })).to.include({ state: "running", approvedBy: "bob" });
    const lapsed = edited(approved, { priority: 1 });
    expect(lapsed).to.include({
      state: "awaiting_approval",
      approvedBy: null,
      stage: 1,
      startedAt: approved.startedAt,
      reason: "changed by ben, another person has to approve it",
    });
    expect(nameAuthors(lapsed)).to.equal("ada and ben");
    for (const author of ["ada", "ben"])
      expect(command(lapsed, { kind: "approve" }, author, NOW)).to.include({ code: "SAME_PERSON" });
    const again = command(lapsed, { kind: "approve" }, "bob", NOW);
    expect(again.ok && again.rollout).to.include({ state: "running", approvedBy: "bob", stage: 1 });
    expect(refusal(lapsed, { needsApproval: false })).to.match(/is already awaiting approval/);
    const paused = edited({ ...approved, state: "paused", reason: "failures" }, { priority: 1 });
    expect(paused).to.include({ state: "paused", reason: "failures", approvedBy: null });
    const resumed = command(paused, { kind: "resume" }, "ada", NOW);
    expect(resumed.ok && resumed.rollout.state).to.equal("awaiting_approval");
  });

  it("never lets a rollout run without a required approval, whatever the sequence of changes", () => {
    const random = randomFrom(5);
    const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(random() * values.length)]!;
    let runningCount = 0;
    let editCount = 0;
    for (let run = 0; run < 300; run++) {
      let rollout = begun({ state: "draft", startedAt: null, stage: 0, needsApproval: true });
      for (let turn = 0; turn < 15; turn++) {
        const person = pick(["ada", "ben", "bob"]);
        if (random() < 0.3) {
          const plan = pick<Partial<RolloutPlan>>([
            { priority: turn },
            { startAt: NOW + pick([-1, 1]) * HOUR },
            { stages: STAGES.slice(0, pick([1, 2, 3])) },
            { name: `n${turn}` },
          ]);
          const result = edit(rollout, { ...rollout, ...plan }, person, NOW);
          if (result.ok && result.rollout !== rollout) editCount++;
          if (result.ok) rollout = result.rollout;
        } else {
          const kind = pick(["start", "approve", "pause", "resume", "promote"] as const);
          const result = command(rollout, { kind, reason: "" } as never, person, NOW);
          if (result.ok) rollout = result.rollout;
        }
        expect(rollout.stages[rollout.stage], "its stage").not.equal(undefined);
        if (rollout.state !== "running" && rollout.state !== "scheduled") continue;
        runningCount++;
        expect(rollout.approvedBy).not.equal(null);
        expect(rollout.approvedBy).not.equal("ada");
      }
    }
    expect(runningCount).to.be.above(100);
    expect(editCount).to.be.above(300);
  });

  it("does not count if it changes nothing", () => {
    const rollout = begun();
    expect(change(rollout, { stages: structuredClone(STAGES) })).to.deep.equal({
      ok: true,
      rollout,
      changed: [],
    });
  });
});
