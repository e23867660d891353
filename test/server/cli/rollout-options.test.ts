import { expect } from "chai";
import { sizeText, UsageError } from "../../../server/cli/output.js";
import { drawBar, drawRollout } from "../../../server/cli/rollout-drawing.js";
import { readPlanFlags, readStage, readWindow, seconds, share } from "../../../server/cli/rollout-options.js";

describe("a rollout's options on the command line", () => {
  it("include stages", () => {
    expect(readStage("10%")).to.deep.equal({ percent: 10 });
    expect(readStage("2.5 %, soak=90m, min=5, fraction=95%, name=first")).to.deep.equal({
      percent: 2.5,
      soak_seconds: 5400,
      min_validated: 5,
      min_validated_fraction: 0.95,
      name: "first",
    });
    expect(readStage("group:lab+berlin,soak=0")).to.deep.equal({
      groups: ["lab", "berlin"],
      soak_seconds: 0,
    });
    for (const wrong of ["10", "group:", "10%,soak", "10%,speed=3"])
      expect(() => readStage(wrong), wrong).to.throw(UsageError);
  });

  it("include windows", () => {
    expect(readWindow("mon-fri 22:00-04:00")).to.deep.equal({
      weekdays: [1, 2, 3, 4, 5],
      from: "22:00",
      to: "04:00",
    });
    expect(readWindow("Sat,sun 00:00-06:00").weekdays).to.deep.equal([6, 7]);
    expect(readWindow("fri-mon 01:00-02:00").weekdays).to.deep.equal([5, 6, 7, 1]);
    expect(readWindow("daily 01:00-02:00").weekdays).to.have.length(7);
    for (const wrong of ["22:00-04:00", "mon 22-4", "someday 01:00-02:00"])
      expect(() => readWindow(wrong), wrong).to.throw(UsageError);
  });

  it("include durations and shares", () => {
    expect(["90", "90s", "30m", "1.5h", "2d"].map(seconds)).to.deep.equal([90, 90, 1800, 5400, 172_800]);
    expect(["5%", "0.05", "1"].map(share)).to.deep.equal([0.05, 0.05, 1]);
    for (const wrong of ["", "-1", "1w"]) expect(() => seconds(wrong), wrong).to.throw(UsageError);
    for (const wrong of ["5", "101%", "x"]) expect(() => share(wrong), wrong).to.throw(UsageError);
  });

  it("become a request with only the given fields", async () => {
    expect(await readPlanFlags({})).to.deep.equal({});
    expect(
      await readPlanFlags({ tag: ["lab"], maxFailed: 0.2, window: ["mon 01:00-02:00"], approval: true }),
    ).to.deep.equal({
      target: { tags: ["lab"] },
      gates: { max_failed_fraction: 0.2 },
      windows: { time_zone: "UTC", spans: [{ weekdays: [1], from: "01:00", to: "02:00" }] },
      needs_approval: true,
    });
  });
});

describe("a rollout on a terminal", () => {
  const tally = { given: 10, updating: 2, validated: 5, soaked: 0, failed: 1, rolled_back: 0, silent: 0 };

  it("is drawn as a bar of the same width, whatever its numbers", () => {
    expect(drawBar(tally, 10)).to.equal("█".repeat(20) + "x".repeat(4) + "▓".repeat(8) + "·".repeat(8));
    expect(drawBar({ ...tally, validated: 1 }, 100_000)).to.equal(`█x▓${"·".repeat(37)}`);
    for (const size of [0, 1, 7, 8, 1000]) expect([...drawBar(tally, size)].length).to.equal(40);
    expect(drawBar(undefined, 10)).to.equal("·".repeat(40));
  });

  it("shows what it waits for", () => {
    const view = {
      id: 1,
      name: "autumn",
      state: "running",
      reason: "started by ada",
      stage: 0,
      stages: [
        { name: "10 %", device_count: 10 },
        { name: "100 %", device_count: 90 },
      ],
      tallies: [tally, { ...tally, given: 0, updating: 0, validated: 0, failed: 0 }],
      next: { kind: "stay", reason: "5 of 10 devices validated" },
      notes: ["12 devices that nobody vouched for are not counted"],
    } as unknown as Parameters<typeof drawRollout>[0];
    const lines = drawRollout(view);
    expect(lines).to.have.length(6);
    expect(lines[2]).to.match(/^ {2}● 10 % {3}.*5 of 10 validated, 2 updating, 1 failed$/);
    expect(lines[3]).to.match(/^ {2}○ 100 % .*0 of 90 validated$/);
    expect(lines[4]).to.equal("  next: 5 of 10 devices validated");
    expect(lines[5]).to.equal("  12 devices that nobody vouched for are not counted");
  });

  it("has sizes in readable units", () => {
    const counts = [0, 1023, 1024, 297_888, 1_048_575, 8 * 2 ** 20, 5e12];
    expect(counts.map(sizeText)).to.deep.equal([
      "0 bytes",
      "1023 bytes",
      "1.0 KiB",
      "290.9 KiB",
      "1.0 MiB",
      "8.0 MiB",
      "4.5 TiB",
    ]);
  });
});
