import { expect } from "chai";
import { chooseRelease } from "../../../server/rollout/choose-release.js";
import { type Facts, NO_FACTS } from "../../../server/rollout/decision.js";
import type { Verdict } from "../../../server/rollout/verdicts.js";
import { explain, summarize } from "../../../server/rollout/why.js";
import type {
  Rollout,
  RolloutDevice,
  RolloutRelease,
  RolloutState,
  Target,
} from "../../../server/shared/rollout.js";
import { HOUR, MINUTE, NOW, sampleRelease, sampleRollout, sampleStage, sampleSubject } from "./samples.js";

const one = sampleRelease("1.1.0");
const decide = <Release extends RolloutRelease>(
  device: RolloutDevice,
  releases: readonly Release[],
  rollouts: readonly Rollout[],
  facts: Facts = NO_FACTS,
) => chooseRelease({ device, releases, rollouts, facts, now: NOW });
const verdictOf = (
  rollout: Partial<Rollout>,
  device: Partial<RolloutDevice> = {},
  facts: Partial<Facts> = {},
  release: RolloutRelease = one,
): Verdict | undefined =>
  decide(sampleSubject(device), [release], [sampleRollout(rollout)], { ...NO_FACTS, ...facts }).verdicts[0]
    ?.verdict;

describe("the decision for a device", () => {
  it("leaves a release that has a rollout to its rollout, in whatever state", () => {
    const verdicts: Record<RolloutState, Verdict> = {
      draft: "ROLLOUT_DRAFT",
      awaiting_approval: "ROLLOUT_AWAITING_APPROVAL",
      scheduled: "OFFERED",
      running: "OFFERED",
      paused: "ROLLOUT_PAUSED",
      cancelled: "ROLLOUT_CANCELLED",
      finished: "OFFERED",
    };
    for (const [state, verdict] of Object.entries(verdicts)) {
      expect(verdictOf({ state: state as RolloutState }), state).to.equal(verdict);
    }
    expect(verdictOf({ state: "scheduled", startAt: NOW + 1 })).to.equal("ROLLOUT_SCHEDULED");
    expect(verdictOf({ state: "scheduled", startAt: NOW })).to.equal("OFFERED");
  });

  it("lets a rollout offer unstable releases, but no inactive ones", () => {
    expect(verdictOf({}, {}, {}, { ...one, isStable: false })).to.equal("OFFERED");
    expect(verdictOf({}, {}, {}, { ...one, isActive: false })).to.equal("INACTIVE");
  });

  it("applies every condition of the target", () => {
    const device = { tags: ["beta", "lab"], group: "berlin", version: "1.0.3", build: 2 };
    const cases: readonly (readonly [Target, boolean])[] = [
      [{}, true],
      [{ tags: ["lab"] }, true],
      [{ tags: ["alpha", "lab"] }, true],
      [{ tags: ["alpha"] }, false],
      [{ groups: ["berlin", "rome"] }, true],
      [{ groups: ["rome"] }, false],
      [{ devices: ["base-010203"] }, true],
      [{ devices: ["base-999999"] }, false],
      [{ hardware: ["esp32"] }, true],
      [{ hardware: ["olimex"] }, false],
      [{ fromVersion: "1.0.3", toVersion: "1.0.3" }, true],
      [{ toVersion: "1.0.3+1" }, false],
      [{ fromVersion: "1.0.4" }, false],
      [{ tags: ["lab"], groups: ["rome"] }, false],
    ];
    for (const [target, isIn] of cases) {
      expect(verdictOf({ target }, device), JSON.stringify(target)).to.equal(
        isIn ? "OFFERED" : "NOT_TARGETED",
      );
    }
    expect(verdictOf({ target: { hardware: ["esp32"] } }, { hardware: null })).to.equal("NOT_TARGETED");
  });

  it("opens stage after stage, by share or by group", () => {
    const stages = [
      { name: "lab", groups: ["lab"], soakMs: 0, minValidatedCount: 1, minValidatedFraction: 0 },
      sampleStage(20),
      sampleStage(60),
    ];
    // Its bucket is at 31.29 %.
    expect(verdictOf({ stages, stage: 1 })).to.equal("STAGE_AHEAD");
    expect(verdictOf({ stages, stage: 2 })).to.equal("OFFERED");
    expect(verdictOf({ stages, stage: 0 }, { group: "lab" })).to.equal("OFFERED");
    expect(verdictOf({ stages: stages.slice(0, 2), stage: 1 })).to.equal("IN_NO_STAGE");
  });

  it("respects windows and the limit, and a device with a lease keeps it", () => {
    const windows = { timeZone: "UTC", spans: [{ weekdays: [6], from: "13:00", to: "14:00" }] };
    expect(verdictOf({ windows })).to.equal("WINDOW_CLOSED");
    const leaseCounts = new Map([[1, 3]]);
    expect(verdictOf({ maxConcurrentCount: 4 }, {}, { leaseCounts })).to.equal("OFFERED");
    expect(verdictOf({ maxConcurrentCount: 3 }, {}, { leaseCounts })).to.equal("LIMIT_REACHED");
    expect(verdictOf({ maxConcurrentCount: 3 }, {}, { leaseCounts, leased: new Set([1]) })).to.equal(
      "OFFERED",
    );
  });

  it("orders by priority, then by version", () => {
    const two = sampleRelease("1.2.0", { id: 2 });
    const [older, newer] = [sampleRollout(), sampleRollout({ id: 2, firmwareId: 2 })];
    const offered = (rollouts: readonly Rollout[]) =>
      decide(sampleSubject(), [one, two], rollouts).offer?.release.version;
    expect(offered([older, newer])).to.equal("1.2.0");
    expect(offered([{ ...older, priority: 1 }, newer])).to.equal("1.1.0");
    expect(offered([{ ...older, priority: 1, state: "paused" }, newer])).to.equal("1.2.0");
    expect(offered([{ ...newer, priority: -1 }])).to.equal("1.1.0");
  });

  it("gives a pinned device that version or nothing, whatever rollouts say", () => {
    const releases = [
      one,
      sampleRelease("1.2.0", { id: 2 }),
      sampleRelease("1.2.0", { id: 3, buildNumber: 4 }),
    ];
    const offered = (pin: string, version = "1.0.0") =>
      decide(sampleSubject({ pin, version }), releases, [sampleRollout({ state: "paused" })]).offer?.release
        .id;
    expect(offered("1.1.0")).to.equal(1);
    expect(offered("1.2.0")).to.equal(3);
    expect(offered("1.2.0+0")).to.equal(2);
    expect(offered("1.1.0", "1.1.0")).to.equal(undefined);
    expect(offered("9.9.9")).to.equal(undefined);
  });

  it("goes through the newest intermediate release that leads on, under the same rollout", () => {
    const releases = [
      sampleRelease("1.1.0", { id: 1 }),
      sampleRelease("1.2.0", { id: 2 }),
      sampleRelease("1.9.0", { id: 3, isStable: false }),
      sampleRelease("2.0.0", { id: 4, isStable: false, minCurrentVersion: "1.2.0" }),
    ];
    const rollouts = [sampleRollout({ firmwareId: 4, priority: 1 })];
    const from = (version: string, facts: Partial<Facts> = {}, rest = releases) =>
      decide(sampleSubject({ version }), rest, rollouts, { ...NO_FACTS, ...facts });
    expect(from("1.0.0").offer)
      .to.include({ stage: 0 })
      .and.to.nested.include({ "release.version": "1.2.0", "wanted.version": "2.0.0", "rollout.id": 1 });
    expect(from("1.2.0").offer?.release.version).to.equal("2.0.0");
    const withoutIntermediate = releases.filter(({ id }) => id === 1 || id === 4);
    expect(from("1.0.0", {}, withoutIntermediate).verdicts.at(-1)?.verdict).to.equal("CURRENT_TOO_OLD");
    // The intermediate release is outside the target's versions; the rollout that offered it continues.
    const narrow = [sampleRollout({ firmwareId: 4, target: { toVersion: "1.0.0" } })];
    const verdictAfter = (given: ReadonlySet<number>) =>
      decide(sampleSubject({ version: "1.2.0" }), releases, narrow, { ...NO_FACTS, given }).verdicts.at(-1)
        ?.verdict;
    expect(verdictAfter(new Set())).to.equal("NOT_TARGETED");
    expect(verdictAfter(new Set([1]))).to.equal("OFFERED");
  });

  it("forces an older version only on devices that accept it, and keeps them there", () => {
    const old = sampleRelease("0.9.0");
    const stable = sampleRelease("1.0.0", { id: 2 });
    expect(verdictOf({}, {}, {}, old)).to.equal("NOT_NEWER");
    expect(verdictOf({ force: "any_order" }, {}, {}, old)).to.equal("DEVICE_REFUSES");
    const unsigned = { ...old, manifestLength: 0 };
    expect(verdictOf({ force: "any_order" }, {}, {}, unsigned), "of another system").to.equal("OFFERED");
    const legacy = { slotState: null, imageSha256: null };
    expect(verdictOf({ force: "any_order" }, legacy, {}, old)).to.equal("OFFERED");
    expect(verdictOf({ force: "reinstall" }, legacy, {}, old)).to.equal("NOT_NEWER");
    expect(verdictOf({ force: "reinstall" }, { ...legacy, version: "0.9.0" }, {}, old)).to.equal("OFFERED");
    const given = new Set([1]);
    expect(verdictOf({ force: "reinstall" }, { ...legacy, version: "0.9.0" }, { given }, old)).to.equal(
      "DONE_ALREADY",
    );
    const back = decide(
      sampleSubject({ ...legacy, version: "0.9.0" }),
      [old, stable],
      [sampleRollout({ force: "any_order" })],
      { ...NO_FACTS, given },
    );
    expect(back.offer).to.equal(undefined);
    expect(back.verdicts.map(({ verdict }) => verdict)).to.deep.equal(["DONE_ALREADY", "HELD"]);
  });
});

describe("the answer to why", () => {
  const ask = (
    rollout: Partial<Rollout>,
    device: Partial<RolloutDevice> = {},
    facts: Partial<Facts> = {},
  ) => {
    const scene = {
      device: sampleSubject(device),
      releases: [one],
      rollouts: [sampleRollout(rollout)],
      facts: { ...NO_FACTS, ...facts },
      now: NOW,
    };
    const decision = chooseRelease(scene);
    return {
      summary: summarize(scene, decision),
      sentences: explain(scene, decision).map(({ sentence }) => sentence),
    };
  };

  it("explains in sentences with numbers what prevents the update", () => {
    expect(ask({}).summary).to.equal(
      'base-010203 is offered base 1.1.0 by rollout 1 "first" at its next check.',
    );
    expect(ask({ state: "paused", reason: "3 of 10 devices failed" }).summary).to.equal(
      'base-010203 is offered nothing: rollout 1 "first" for base 1.1.0 is paused: 3 of 10 devices failed.',
    );
    expect(ask({ stages: [sampleStage(10), sampleStage(100)] }).summary).to.contain(
      'has the device in stage 2 "100 %" (its position is 31.29 %), stage 1 "10 %" is open.',
    );
    expect(ask({ target: { groups: ["rome"] } }, { group: "berlin" }).summary).to.contain(
      "does not include the device: it is for group rome, the device is in berlin.",
    );
    expect(
      ask({ windows: { timeZone: "UTC", spans: [{ weekdays: [1], from: "02:00", to: "04:00" }] } }).summary,
    ).to.contain("the next opens at 2026-11-23T02:00:00.000Z.");
    expect(ask({}, { version: "1.1.0" }).summary).to.contain("is up to date: it runs 1.1.0");
    expect(ask({}, { pin: "1.0.0" }).summary).to.contain("is pinned to 1.0.0");
    const history = [
      {
        firmwareId: 1,
        failedCount: 1,
        rolledBackCount: 1,
        lastFailedAt: NOW - MINUTE,
        lastRolledBackAt: NOW - MINUTE,
      },
    ];
    expect(ask({}, {}, { history }).summary).to.contain(
      "it is offered again from 2026-11-21T12:09:00.000Z on.",
    );
  });

  it("names the rollout that precedes another of the same release", () => {
    const device = sampleSubject();
    const rollouts = [sampleRollout({ priority: 1 }), sampleRollout({ id: 2, name: "second" })];
    const scene = { device, releases: [one], rollouts, facts: NO_FACTS, now: NOW };
    const answers = explain(scene, decide(device, scene.releases, rollouts));
    expect(answers[1]?.sentence).to.equal(
      'base 1.1.0 is also available from rollout 2 "second", but another rollout takes priority.',
    );
  });

  it("has a sentence for every verdict", () => {
    const many = { leaseCounts: new Map([[1, 9]]) };
    const cases: readonly string[] = [
      ask({ state: "draft" }),
      ask({ state: "awaiting_approval" }),
      ask({ state: "scheduled", startAt: NOW + HOUR }),
      ask({ state: "cancelled", reason: "bad" }),
      ask({ maxConcurrentCount: 9 }, {}, many),
      ask({ force: "any_order" }, { version: "2.0.0" }),
      ask({}, { slotState: "pending_verify" }),
      ask({ stages: [sampleStage(1)] }),
    ].map(({ summary }) => summary);
    for (const sentence of cases)
      expect(sentence)
        .to.match(/^base-010203 is offered nothing: .{20,}\.$/)
        .and.not.contain("undefined");
    expect(new Set(cases).size).to.equal(cases.length);
  });
});
