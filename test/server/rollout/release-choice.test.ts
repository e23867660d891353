import { expect } from "chai";
import { chooseRelease } from "../../../server/rollout/choose-release.js";
import { NO_FACTS } from "../../../server/rollout/decision.js";
import {
  MAX_ROLLBACK_COUNT,
  PATIENT_FAILURE_COUNT,
  ROLL_BACK_WAIT_MS,
} from "../../../server/rollout/obstacle.js";
import { NO_LABELS, type RolloutDevice, type RolloutRelease } from "../../../server/shared/rollout.js";
import type { FailureCount } from "../../../server/store/store.js";
import { sampleRelease } from "./samples.js";

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const DEVICE: RolloutDevice = {
  ...NO_LABELS,
  id: "base-010203",
  type: "base",
  hardware: "esp32",
  chip: "esp32",
  version: "1.0.0",
  build: 0,
  imageSha256: "a".repeat(64),
  slotState: "valid",
};
let nextId = 1;
const release = (version: string, changes: Partial<RolloutRelease> = {}): RolloutRelease =>
  sampleRelease(version, { id: nextId++, ...changes });
const choose = (
  device: RolloutDevice,
  releases: readonly RolloutRelease[],
  history: readonly FailureCount[] = [],
  now = NOW,
) => {
  const { offer, verdicts } = chooseRelease({
    device,
    releases,
    rollouts: [],
    facts: { ...NO_FACTS, history },
    now,
  });
  return { release: offer?.release, verdicts };
};
const failures = (
  release: RolloutRelease,
  failedCount: number,
  rolledBackCount: number,
  agoMs: number,
): FailureCount => ({
  firmwareId: release.id,
  failedCount,
  rolledBackCount,
  lastFailedAt: NOW - agoMs,
  lastRolledBackAt: rolledBackCount > 0 ? NOW - agoMs : null,
});
const chosen = (device: Partial<RolloutDevice>, releases: readonly RolloutRelease[], now = NOW) =>
  choose({ ...DEVICE, ...device }, releases, [], now).release?.version;
const verdict = (device: Partial<RolloutDevice>, one: RolloutRelease, now = NOW) =>
  choose({ ...DEVICE, ...device }, [one], [], now).verdicts[0]?.verdict;

describe("the choice of a release", () => {
  it("never goes down because a version is written in an unusual way", () => {
    const older = [release("1.0.0"), release("1.1.0", { buildNumber: 9 })];
    for (const version of [
      "1.2.0+abc123",
      "1.2.0+20260101",
      "v1.2.0",
      "1.02.0",
      "1.2",
      "1.2.0.1",
      "2.0.0-rc..1",
      "1.2.0-9007199254740993",
    ])
      expect(chosen({ version }, older), version).equal(undefined);
    for (const version of ["1.2.0-1", "1.1.9+abc123", "1.01", "unknown"])
      expect(chosen({ version }, [release("1.2.0")]), version).equal("1.2.0");
  });

  it("may step from a version that nobody can read to a release that names 0.0.0 as its minimum", () => {
    expect(chosen({ version: "unknown" }, [release("1.2.0", { minCurrentVersion: "0.0.0" })])).equal("1.2.0");
    expect(chosen({ version: "unknown" }, [release("1.2.0", { minCurrentVersion: "0.0.1" })])).equal(
      undefined,
    );
    expect(chosen({ version: "1.0.0" }, [release("1.2.0", { minCurrentVersion: "1.01" })])).equal(undefined);
  });

  it("is the newest, whatever the order of the uploads", () => {
    const releases = [release("1.2.0"), release("1.10.0"), release("1.9.9")];
    expect(chosen({}, releases)).to.equal("1.10.0");
    expect(chosen({}, [...releases].reverse())).to.equal("1.10.0");
  });

  it("orders equal versions by build, and pre-releases before their release", () => {
    const builds = [release("1.1.0", { buildNumber: 2 }), release("1.1.0", { buildNumber: 10 })];
    expect(choose(DEVICE, builds).release?.buildNumber).to.equal(10);
    expect(chosen({}, [release("2.0.0-rc.1"), release("2.0.0")])).to.equal("2.0.0");
    expect(chosen({ version: "2.0.0" }, [release("2.0.0-rc.1")])).to.equal(undefined);
  });

  it("is empty when nothing is newer", () => {
    expect(chosen({}, [release("1.0.0"), release("0.9.0")])).to.equal(undefined);
    expect(chosen({}, [])).to.equal(undefined);
    expect(verdict({ build: 3 }, release("1.0.0", { buildNumber: 3 }))).to.equal("NOT_NEWER");
    expect(verdict({ build: 3 }, release("1.0.0", { buildNumber: 4 }))).to.equal("OFFERED");
  });

  it("is never the running image, whatever version it claims", () => {
    expect(
      verdict({ imageSha256: "b".repeat(64) }, release("9.0.0", { imageSha256: "b".repeat(64) })),
    ).to.equal("NOT_NEWER");
  });

  it("skips what is inactive, not stable, expired or for another type, chip or board", () => {
    expect(verdict({}, release("1.1.0", { isActive: false }))).to.equal("INACTIVE");
    expect(verdict({}, release("1.1.0", { isStable: false }))).to.equal("NOT_STABLE");
    expect(verdict({}, release("1.1.0", { expiresAt: NOW }))).to.equal("EXPIRED");
    expect(verdict({}, release("1.1.0", { expiresAt: NOW + 1 }))).to.equal("OFFERED");
    expect(verdict({}, release("1.1.0", { manifestLength: 6144 }))).to.equal("OFFERED");
    expect(verdict({}, release("1.1.0", { manifestLength: 6145 }))).to.equal("MANIFEST_TOO_LONG");
    expect(verdict({}, release("1.1.0", { deviceType: "led" }))).to.equal("WRONG_TYPE");
    expect(verdict({}, release("1.1.0", { chip: "esp32c3" }))).to.equal("WRONG_CHIP");
    expect(verdict({}, release("1.1.0", { hardware: "olimex" }))).to.equal("WRONG_HARDWARE");
    expect(verdict({ chip: null, hardware: null }, release("1.1.0", { hardware: "olimex" }))).to.equal(
      "OFFERED",
    );
  });

  it("goes through an intermediate release to what requires it", () => {
    const releases = [
      release("1.1.0"),
      release("2.0.0", { minCurrentVersion: "1.1.0" }),
      release("3.0.0", { minCurrentVersion: "2.0.0" }),
    ];
    expect(chosen({ version: "1.0.0" }, releases)).to.equal("1.1.0");
    expect(chosen({ version: "1.1.0" }, releases)).to.equal("2.0.0");
    expect(chosen({ version: "2.0.0" }, releases)).to.equal("3.0.0");
    const plan = choose(DEVICE, releases);
    expect(plan.verdicts.map((one) => one.verdict)).to.deep.equal([
      "OFFERED_AS_INTERMEDIATE",
      "INTERMEDIATE_OFFERED",
      "INTERMEDIATE_OFFERED",
    ]);
  });

  it("is empty while the device is on trial", () => {
    expect(verdict({ slotState: "pending_verify" }, release("1.1.0"))).to.equal("TRIAL_RUNNING");
    expect(verdict({ slotState: "factory" }, release("1.1.0"))).to.equal("OFFERED");
    expect(verdict({ slotState: null }, release("1.1.0"))).to.equal("OFFERED");
  });

  it("treats an unreadable version as older than everything", () => {
    expect(chosen({ version: "nightly" }, [release("0.0.1")])).to.equal("0.0.1");
  });

  it("falls back to an older release after a newer was rolled back three times", () => {
    const [older, newer] = [release("1.1.0"), release("1.2.0")];
    const planAfter = (rolledBackCount: number) =>
      choose(DEVICE, [older, newer], [failures(newer, rolledBackCount, rolledBackCount, ROLL_BACK_WAIT_MS)]);
    expect(planAfter(MAX_ROLLBACK_COUNT - 1).release).to.equal(newer);
    expect(planAfter(MAX_ROLLBACK_COUNT).release).to.equal(older);
    expect(planAfter(MAX_ROLLBACK_COUNT).verdicts[1]?.verdict).to.equal("ROLLED_BACK");
  });

  it("waits as long after a roll back as the device ignores the image", () => {
    const one = release("1.1.0");
    const verdictAfter = (agoMs: number) =>
      choose(DEVICE, [one], [failures(one, 1, 1, agoMs)]).verdicts[0]?.verdict;
    expect(verdictAfter(ROLL_BACK_WAIT_MS - 1)).to.equal("WAITS_AFTER_ROLL_BACK");
    expect(verdictAfter(ROLL_BACK_WAIT_MS)).to.equal("OFFERED");
  });

  it("waits longer and longer after many failures, up to a limit", () => {
    const one = release("1.1.0");
    const offered = (failedCount: number, minutes: number) =>
      choose(DEVICE, [one], [failures(one, failedCount, 0, minutes * MINUTE)]).release === one;
    expect(offered(PATIENT_FAILURE_COUNT - 1, 0)).to.equal(true);
    expect(offered(PATIENT_FAILURE_COUNT, 9)).to.equal(false);
    expect(offered(PATIENT_FAILURE_COUNT, 10)).to.equal(true);
    expect(offered(PATIENT_FAILURE_COUNT + 1, 19)).to.equal(false);
    expect(offered(PATIENT_FAILURE_COUNT + 1, 20)).to.equal(true);
    expect(offered(10_000, 24 * 60)).to.equal(true);
  });
});
