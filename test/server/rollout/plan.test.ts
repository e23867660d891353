import { expect } from "chai";
import type { Standing } from "../../../server/devices/vouching.js";
import { type Facts, NO_FACTS } from "../../../server/rollout/decision.js";
import { MAX_ROLLBACK_COUNT } from "../../../server/rollout/obstacle.js";
import { isPlanned, Planner } from "../../../server/rollout/plan.js";
import { stageOf } from "../../../server/rollout/target.js";
import type { Rollout, RolloutDevice, RolloutRelease } from "../../../server/shared/rollout.js";
import { HOUR, NOW, sampleRelease, sampleRollout, sampleStage, sampleSubject, VOUCHED } from "./samples.js";

const RELEASES: readonly RolloutRelease[] = [sampleRelease("1.1.0")];
const STAGED = sampleRollout({
  state: "draft",
  startedAt: null,
  stages: [sampleStage(25), sampleStage(100)],
});
const planFor = (
  devices: readonly Partial<RolloutDevice>[],
  rollout: Rollout = STAGED,
  releases = RELEASES,
  facts: Partial<Facts> = {},
) => {
  const planner = new Planner(rollout, releases, [], NOW);
  const subjects = devices.map((device) => ({
    device: sampleSubject(device),
    facts: { ...NO_FACTS, ...facts },
    standing: VOUCHED,
  }));
  const entries = subjects.map((subject) => planner.add(subject));
  const explain = (index: number) => {
    const entry = entries[index]!;
    if (isPlanned(entry)) throw new Error(`${entry.deviceId} is planned`);
    return planner.explain(subjects[index]!, entry.verdict);
  };
  return { planner, entries, explain };
};
const FLEET = Array.from({ length: 200 }, (_, index) => ({ id: `d${index}` }));

describe("the plan of a rollout", () => {
  it("shows which devices get it in which stage, how many bytes, and the earliest time", () => {
    const { planner, entries } = planFor(FLEET);
    const [first, second] = planner.stages;
    expect((first?.deviceCount ?? 0) + (second?.deviceCount ?? 0)).to.equal(200);
    expect(first?.deviceCount).to.be.within(30, 70);
    expect(first).to.include({ bytes: (first?.deviceCount ?? 0) * 100_000, earliestAt: NOW });
    expect(second?.earliestAt).to.equal(NOW + HOUR);
    expect(planner.stageSizes).to.deep.equal([first?.deviceCount, 200]);
    for (const entry of entries) {
      if (!isPlanned(entry)) throw new Error(entry.verdict);
      expect(entry.stage).to.equal(stageOf(STAGED, sampleSubject({ id: entry.deviceId })));
    }
  });

  it("does not wait for a stage that has no devices", () => {
    const stages = [sampleStage(25), sampleStage(50), sampleStage(100)];
    const last = FLEET.find((device) => stageOf({ ...STAGED, stages }, sampleSubject(device)) === 2)!;
    const first = FLEET.find((device) => stageOf({ ...STAGED, stages }, sampleSubject(device)) === 0)!;
    const times = (devices: Parameters<typeof planFor>[0]) =>
      planFor(devices, { ...STAGED, stages }).planner.stages.map(({ earliestAt }) => earliestAt);
    expect(times([last])).to.deep.equal([NOW, NOW, NOW]);
    expect(times([first, last])).to.deep.equal([NOW, NOW + HOUR, NOW + HOUR]);
    expect(times([]), "nobody knows which are empty").to.deep.equal([NOW, NOW + HOUR, NOW + 2 * HOUR]);
  });

  it("sizes its stages by the devices that count, and shows the others apart", () => {
    const running = sampleRollout({ ...STAGED, state: "running", startedAt: NOW });
    const planner = new Planner(running, RELEASES, [], NOW);
    const late = { ...VOUCHED, isVouched: false, since: NOW + 1 };
    const early = { ...late, since: NOW };
    const add = (id: string, standing: Standing) =>
      planner.add({ device: sampleSubject({ id }), facts: NO_FACTS, standing });
    const own = [add("a", VOUCHED), add("b", early)];
    const invented = Array.from({ length: 100 }, (_, n) => add(`invented-${n}`, late));
    expect(own.map((entry) => isPlanned(entry) && entry.isCounted)).to.deep.equal([true, true]);
    expect(invented.some((entry) => !isPlanned(entry) || entry.isCounted)).to.equal(false);
    const sum = (field: "deviceCount" | "uncountedCount") =>
      planner.stages.reduce((total, stage) => total + stage[field], 0);
    expect([sum("deviceCount"), sum("uncountedCount"), planner.unvouchedCount]).to.deep.equal([2, 100, 101]);
    expect(planner.stageSizes.at(-1)).to.equal(2);
  });

  it("waits for the scheduled start and the next window", () => {
    const windows = { timeZone: "UTC", spans: [{ weekdays: [1], from: "02:00", to: "04:00" }] };
    const { planner } = planFor([], { ...STAGED, windows, startAt: NOW + 24 * HOUR });
    const monday = Date.UTC(2026, 10, 23, 2);
    expect(planner.stages.map(({ earliestAt }) => earliestAt)).to.deep.equal([monday, monday + HOUR]);
  });

  it("includes the intermediate releases", () => {
    const releases = [
      sampleRelease("1.1.0", { id: 2, fileSize: 10 }),
      sampleRelease("2.0.0", { minCurrentVersion: "1.1.0", fileSize: 5 }),
    ];
    const { entries } = planFor([{}, { version: "1.5.0" }], STAGED, releases);
    expect(entries).to.have.length(2);
    expect(entries[0]).to.deep.include({ firmwareIds: [2, 1], bytes: 15 });
    expect(entries[1]).to.deep.include({ firmwareIds: [1], bytes: 5 });
  });

  it("gives the reason for each excluded device", () => {
    const rollout = { ...STAGED, target: { tags: ["beta"] } };
    const { entries, planner, explain } = planFor(
      [
        {},
        { tags: ["beta"], version: "1.1.0" },
        { tags: ["beta"], pin: "1.0.0" },
        { tags: ["beta"], chip: "esp32c3" },
      ],
      rollout,
    );
    expect(entries.map((entry) => (isPlanned(entry) ? "planned" : entry.verdict))).to.deep.equal([
      "NOT_TARGETED",
      "NOT_NEWER",
      "PINNED",
      "WRONG_CHIP",
    ]);
    expect(explain(0)).to.contain("it is for tag beta, the device has none");
    expect(planner.stageSizes).to.deep.equal([0, 0]);
  });

  it("shows which devices refuse a forced older release", () => {
    const rollout = { ...STAGED, force: "any_order" as const };
    const { entries, explain } = planFor(
      [{ version: "2.0.0" }, { version: "2.0.0", slotState: null }],
      rollout,
    );
    expect(entries.map(isPlanned)).to.deep.equal([false, true]);
    expect(explain(0)).to.contain("refuses that even if it is forced");
  });

  it("includes temporary obstacles (a trial, a wait), but not a device that rolled it back too often", () => {
    const history = (rolledBackCount: number) => [
      { firmwareId: 1, failedCount: 9, rolledBackCount, lastFailedAt: NOW, lastRolledBackAt: NOW },
    ];
    const planned = (device: Partial<RolloutDevice>, facts: Partial<Facts>) =>
      isPlanned(planFor([device], STAGED, RELEASES, facts).entries[0]!);
    expect(planned({ slotState: "pending_verify" }, {})).to.equal(true);
    expect(planned({}, { history: history(1) })).to.equal(true);
    expect(planned({}, { history: history(MAX_ROLLBACK_COUNT) })).to.equal(false);
  });

  it("counts a device that already got it in its stage", () => {
    const { planner } = planFor([{ version: "1.1.0" }], STAGED, RELEASES, { given: new Set([1]) });
    expect(planner.stages.map(({ deviceCount }) => deviceCount)).to.deep.equal([0, 0]);
    expect(planner.stageSizes.at(-1)).to.equal(1);
  });
});
