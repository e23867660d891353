import { expect } from "chai";
import { advance } from "../../../server/rollout/advance.js";
import { applyAdvance, type Command, command } from "../../../server/rollout/lifecycle.js";
import { duration } from "../../../server/rollout/words.js";
import { ROLLOUT_STATES, type Rollout, type StageTally } from "../../../server/shared/rollout.js";
import { HOUR, NOW, randomFrom, sampleRollout, sampleStage, tallyOf } from "./samples.js";

const staged = (changes: Partial<Rollout> = {}) =>
  sampleRollout({
    stages: [sampleStage(10), sampleStage(50), sampleStage(100)],
    stageSizes: [10, 50, 100],
    ...changes,
  });

describe("a rollout by itself", () => {
  it("opens the next stage when enough devices have run it for the soak time, and says so with numbers", () => {
    const waiting = advance(staged(), tallyOf({ givenCount: 10, validatedCount: 9, soakedCount: 1 }), NOW);
    expect(waiting).to.deep.equal({
      kind: "stay",
      reason: 'stage "10 %": 9 of 10 devices validated, 1 of 2 needed for 1 h',
    });
    const ready = advance(staged(), tallyOf({ givenCount: 10, validatedCount: 9, soakedCount: 2 }), NOW);
    expect(ready).to.deep.equal({
      kind: "promote",
      stage: 1,
      reason: 'stage "10 %" opened: 2 devices have run the release for 1 h, 9 of 10 validated',
    });
    const few = advance(staged(), tallyOf({ givenCount: 10, validatedCount: 7, soakedCount: 7 }), NOW);
    expect(few)
      .to.include({ kind: "stay" })
      .and.to.nested.include({ reason: 'stage "10 %": 7 of 10 devices validated (70 %), 80 % are required' });
  });

  it("says what helps when too many have failed for the share that it requires", () => {
    const { gates } = staged();
    const open = { gates: { ...gates, maxFailedFraction: 1, maxRolledBackFraction: 1 } };
    const short = { givenCount: 10, validatedCount: 7, soakedCount: 7 };
    const reasonOf = (rollout: Partial<Rollout>, failedCount: number, rolledBackCount: number) =>
      advance(staged({ ...open, ...rollout }), tallyOf({ ...short, failedCount, rolledBackCount }), NOW)
        .reason;
    expect(reasonOf({}, 1, 1)).to.match(/80 % are required$/);
    expect(reasonOf({}, 1, 2)).to.match(
      /80 % are required; 3 failed or rolled back, so that this cannot be reached: .*open the next stage/,
    );
    expect(reasonOf({ stages: [sampleStage(10)], stageSizes: [10] }, 3, 0)).to.match(
      /cannot be reached: .*cancel the rollout$/,
    );
    expect(reasonOf({ stageSizes: [100, 200, 300] }, 3, 0)).to.match(/80 % are required$/);
  });

  it("never counts delivery as evidence", () => {
    expect(advance(staged(), tallyOf({ givenCount: 10, updatingCount: 10 }), NOW).kind).to.equal("stay");
  });

  it("requires evidence from each stage: what an earlier one has proved opens no later one", () => {
    const second = staged({ stage: 1 });
    const first = { givenCount: 10, validatedCount: 10, soakedCount: 10 };
    expect(advance(second, tallyOf(first, { givenCount: 40, updatingCount: 40 }), NOW)).to.deep.equal({
      kind: "stay",
      reason: 'stage "50 %": 0 of 40 devices validated, 0 of 2 needed for 1 h',
    });
    const proved = tallyOf(first, { givenCount: 40, validatedCount: 35, soakedCount: 2 });
    expect(advance(second, proved, NOW)).to.include({ kind: "promote", stage: 2 });
  });

  it("requires all devices of a stage that has fewer than it needs, and skips an empty one", () => {
    const small = staged({
      stages: [sampleStage(1, { minValidatedCount: 50 }), sampleStage(100)],
      stageSizes: [1, 100],
    });
    expect(advance(small, tallyOf({ givenCount: 1, validatedCount: 1 }), NOW).kind).to.equal("stay");
    expect(advance(small, tallyOf({ givenCount: 1, validatedCount: 1, soakedCount: 1 }), NOW).kind).to.equal(
      "promote",
    );
    expect(advance({ ...small, stageSizes: [0, 100] }, tallyOf({}), NOW)).to.deep.equal({
      kind: "promote",
      stage: 1,
      reason: 'stage "1 %" has none of the 100 devices',
    });
    expect(advance({ ...small, stageSizes: [0, 0] }, tallyOf({}), NOW).kind).to.equal("stay");
    expect(advance({ ...small, stageSizes: [] }, tallyOf({}), NOW).kind).to.equal("stay");
  });

  it("pauses on failures, roll backs and silence, from the least sample on", () => {
    const advanceWith = (tally: Partial<StageTally>) => advance(staged(), tallyOf(tally), NOW);
    expect(advanceWith({ validatedCount: 3, failedCount: 1 }).kind).to.equal("stay");
    expect(advanceWith({ validatedCount: 4, failedCount: 1 })).to.deep.equal({
      kind: "pause",
      gate: "FAILURES",
      reason: "1 of 5 devices failed (20 %, 0 of them rolled back), the limit is 10 %",
    });
    expect(advanceWith({ validatedCount: 18, rolledBackCount: 1 })).to.deep.equal({
      kind: "pause",
      gate: "ROLL_BACKS",
      reason: "1 of 19 devices rolled back (5.3 %), the limit is 5 %",
    });
    expect(advanceWith({ validatedCount: 19, rolledBackCount: 1 }).kind).to.equal("stay");
    expect(advanceWith({ validatedCount: 3, silentCount: 2 })).to.deep.equal({
      kind: "pause",
      gate: "SILENCE",
      reason: "2 of 5 devices that took it went silent for 1 h (40 %), the limit is 20 %",
    });
  });

  describe("in a fleet of fewer devices than the least sample", () => {
    const fleet = (deviceCount: number, changes: Partial<Rollout> = {}) =>
      sampleRollout({ stages: [sampleStage(100)], stageSizes: [deviceCount], ...changes });

    it("pauses when all of them have ended, and some of them badly", () => {
      for (const deviceCount of [1, 2, 4]) {
        const all = advance(
          fleet(deviceCount),
          tallyOf({ givenCount: deviceCount, rolledBackCount: deviceCount }),
          NOW,
        );
        expect(all, `${deviceCount}`).to.include({ kind: "pause", gate: "ROLL_BACKS" });
      }
      const one = tallyOf({ givenCount: 4, validatedCount: 3, soakedCount: 3, rolledBackCount: 1 });
      expect(advance(fleet(4), one, NOW)).to.include({ kind: "pause", gate: "ROLL_BACKS" });
      const failed = tallyOf({ givenCount: 3, validatedCount: 2, soakedCount: 2, failedCount: 1 });
      expect(advance(fleet(3), failed, NOW)).to.include({ kind: "pause", gate: "FAILURES" });
      expect(advance(fleet(2), tallyOf({ givenCount: 2, silentCount: 2 }), NOW)).to.include({
        gate: "SILENCE",
      });
    });

    it("waits for the others before that", () => {
      expect(advance(fleet(4), tallyOf({ givenCount: 4, rolledBackCount: 3 }), NOW).kind).to.equal("stay");
      expect(advance(fleet(4, { stageSizes: [] }), tallyOf({ rolledBackCount: 4 }), NOW).kind).to.equal(
        "stay",
      );
    });

    it("pauses on the roll backs of a small first stage, of which nothing else will come", () => {
      const canary = staged({ stages: [sampleStage(1), sampleStage(100)], stageSizes: [1, 50] });
      expect(advance(canary, tallyOf({ givenCount: 1, rolledBackCount: 1 }), NOW)).to.include({
        gate: "ROLL_BACKS",
      });
      expect(advance(canary, tallyOf({ givenCount: 1, failedCount: 1 }), NOW).kind).to.equal("stay");
    });

    it("counts only those that had not ended when it was resumed", () => {
      const resumed = fleet(4, { gatesSince: NOW - HOUR });
      const { stages } = tallyOf({ givenCount: 4, validatedCount: 2, rolledBackCount: 2 });
      const recent = { ...tallyOf({ rolledBackCount: 1 }).recent };
      expect(advance(resumed, { stages, recent, uncountedCount: 0 }, NOW)).to.include({ gate: "ROLL_BACKS" });
      const none = tallyOf({}).recent;
      expect(advance(resumed, { stages, recent: none, uncountedCount: 0 }, NOW).kind).to.equal("stay");
    });
  });

  it("stays where no device counts, and says whom nobody vouched for", () => {
    const empty = staged({ stageSizes: [0, 0, 0] });
    expect(advance(empty, tallyOf(), NOW)).to.include({ reason: "no device fits the target yet" });
    expect(advance(empty, { ...tallyOf(), uncountedCount: 12 }, NOW)).to.deep.equal({
      kind: "stay",
      reason:
        "no device that counts fits the target yet: nobody vouched for the 12 devices that it was offered to",
    });
  });

  it("finishes when every device is done, and not before", () => {
    const last = staged({ stage: 2 });
    const tally = (validatedCount: number, failedCount: number) =>
      tallyOf(
        { givenCount: 10, validatedCount: 10, soakedCount: 10 },
        {},
        {
          givenCount: validatedCount + failedCount,
          validatedCount,
          soakedCount: validatedCount,
          failedCount,
        },
      );
    expect(advance(last, tally(85, 4), NOW)).to.deep.equal({
      kind: "stay",
      reason: 'stage "100 %": 99 of 100 devices are done',
    });
    expect(advance(last, tally(86, 4), NOW)).to.deep.equal({
      kind: "finish",
      reason: "96 of 100 devices validated, 4 failed",
    });
  });

  it("starts at its scheduled time and not before", () => {
    const planned = sampleRollout({ state: "scheduled", startAt: NOW, startedAt: null, gatesSince: 0 });
    expect(advance(planned, tallyOf({}), NOW - 1).kind).to.equal("stay");
    const step = advance(planned, tallyOf({}), NOW);
    expect(applyAdvance(planned, step, NOW)).to.include({
      state: "running",
      startedAt: NOW,
    });
  });

  it("does nothing in any other state", () => {
    for (const state of ROLLOUT_STATES.filter((one) => one !== "running" && one !== "scheduled")) {
      expect(
        advance(staged({ state }), tallyOf({ validatedCount: 0, failedCount: 100 }), NOW).kind,
        state,
      ).to.equal("stay");
    }
  });

  it("formats durations readably", () => {
    expect([0, 1500, 60_000, 90 * 60_000, HOUR, 72 * HOUR].map(duration)).to.deep.equal([
      "0 s",
      "1.5 s",
      "1 min",
      "90 min",
      "1 h",
      "3 d",
    ]);
  });
});

describe("a person's command to a rollout", () => {
  const order = (rollout: Rollout, kind: Command["kind"], actor = "ada") =>
    command(rollout, { kind, reason: "" } as Command, actor, NOW + HOUR);

  it("can cancel from every state, which is final", () => {
    for (const state of ROLLOUT_STATES) {
      const cancelled = order(staged({ state }), "cancel");
      expect(cancelled.ok && cancelled.rollout.state, state).to.equal("cancelled");
      if (!cancelled.ok) continue;
      for (const kind of ["start", "approve", "pause", "resume", "promote", "cancel"] as const) {
        const after = order(cancelled.rollout, kind, "bob");
        expect(after.ok ? after.rollout.state : "cancelled").to.equal("cancelled");
      }
      expect(
        advance(cancelled.rollout, tallyOf({ validatedCount: 100, soakedCount: 100, givenCount: 100 }), NOW)
          .kind,
      ).to.equal("stay");
    }
  });

  it("requires another person for the approval that a rollout needs", () => {
    const draft = sampleRollout({ state: "draft", needsApproval: true, startedAt: null });
    const started = order(draft, "start");
    if (!started.ok) throw new Error(started.message);
    expect(started.rollout).to.include({
      state: "awaiting_approval",
      reason: "started by ada, another person has to approve it",
    });
    expect(order(started.rollout, "approve", "ada")).to.include({ ok: false, code: "SAME_PERSON" });
    const approved = order(started.rollout, "approve", "bob");
    expect(approved.ok && approved.rollout).to.include({
      state: "running",
      approvedBy: "bob",
      startedAt: NOW + HOUR,
    });
    const early = order(draft, "approve", "bob");
    expect(early.ok && early.rollout.state).to.equal("draft");
    expect(early.ok && order(early.rollout, "start")).to.nested.include({ "rollout.state": "running" });
  });

  it("makes it wait for its time when it is started early, and resets failures when it is resumed", () => {
    const later = order(sampleRollout({ state: "draft", startedAt: null, startAt: NOW + 2 * HOUR }), "start");
    expect(later.ok && later.rollout.state).to.equal("scheduled");
    const resumed = order(staged({ state: "paused" }), "resume");
    expect(resumed.ok && resumed.rollout).to.include({
      state: "running",
      gatesSince: NOW + HOUR,
      startedAt: NOW,
      stage: 0,
    });
  });

  it("is refused with the states that it fits", () => {
    expect(order(staged({ state: "draft" }), "pause")).to.deep.equal({
      ok: false,
      code: "STATE_WRONG",
      message: "rollout 1 is draft: only a rollout that is scheduled or running can be paused",
    });
    expect(order(staged({ stage: 2 }), "promote")).to.include({ ok: false, code: "LAST_STAGE" });
    const promoted = order(staged(), "promote");
    expect(promoted.ok && promoted.rollout).to.include({
      stage: 1,
      reason: 'stage "50 %" opened by ada, without waiting for evidence',
    });
  });

  it("leads to no other states, whatever the command and however it advances", () => {
    const random = randomFrom(3);
    const kinds = ["start", "approve", "pause", "resume", "promote", "cancel"] as const;
    const seen = new Set<string>();
    for (let run = 0; run < 300; run++) {
      let rollout = staged({
        state: "draft",
        startedAt: null,
        needsApproval: random() < 0.5,
        startAt: random() < 0.5 ? NOW : null,
      });
      for (let turn = 0; turn < 12; turn++) {
        const kind = kinds[Math.floor(random() * (random() < 0.3 ? 6 : 5))] ?? "start";
        const before = rollout;
        const result = order(rollout, kind, random() < 0.5 ? "ada" : "bob");
        if (result.ok) rollout = result.rollout;
        const soakedCount = Math.floor(random() * 20);
        const step = advance(
          rollout,
          tallyOf({
            givenCount: 20,
            validatedCount: soakedCount,
            soakedCount,
            failedCount: Math.floor(random() * 3),
          }),
          NOW,
        );
        rollout = applyAdvance(rollout, step, NOW) ?? rollout;
        seen.add(rollout.state);
        expect(rollout.stage).to.be.within(before.stage, before.stage + 2);
        if (before.state === "cancelled") expect(rollout).to.deep.equal(before);
        if (rollout.state === "running" && rollout.needsApproval) expect(rollout.approvedBy).to.equal("bob");
        expect(rollout.reason !== "" || rollout.state === "draft").to.equal(true);
      }
    }
    expect([...seen].sort()).to.deep.equal(
      ["awaiting_approval", "cancelled", "draft", "paused", "running"].sort(),
    );
  });
});
