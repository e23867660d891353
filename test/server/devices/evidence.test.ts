import { expect } from "chai";
import type { SlotState } from "../../../firmware/core/wire.js";
import {
  evaluateClaim,
  evaluateEvidence,
  evaluateVersion,
  isSettled,
} from "../../../server/devices/evidence.js";

const OURS = "a".repeat(64);
const OTHER = "b".repeat(64);
const INSTALLING = { status: "installing", step: "armed" } as const;
const running = (imageSha256: string | null, slotState: SlotState | null, reset = "software") => ({
  imageSha256,
  slotState,
  resetReason: reset,
});

describe("the evidence of a device's state", () => {
  it("validates an attempt by the release's image in a valid slot, whatever was reported before", () => {
    for (const status of ["pending", "downloading", "installing"] as const) {
      expect(evaluateEvidence({ status, step: null }, OURS, running(OURS, "valid"))).to.equal("validated");
    }
    expect(evaluateEvidence(INSTALLING, OURS, running(OURS, "factory"))).to.equal("validated");
  });

  it("never counts a trial as a success", () => {
    expect(evaluateEvidence(INSTALLING, OURS, running(OURS, "pending_verify"))).to.equal("onTrial");
    expect(evaluateEvidence(INSTALLING, OURS, running(OURS, "undefined"))).to.equal("onTrial");
  });

  it("takes a device at its word whose boot loader knows no slot states", () => {
    const noSteps = { status: "downloading", step: null } as const;
    for (const state of [null, "undefined", "new"] as const) {
      expect(evaluateEvidence(noSteps, OURS, running(OURS, state)), `${state}`).to.equal("reported");
      expect(evaluateEvidence(noSteps, OURS, running(OTHER, state)), `${state}`).to.equal("nothing");
    }
    for (const state of ["pending_verify", "aborted", "invalid"] as const)
      expect(evaluateEvidence(noSteps, OURS, running(OURS, state), 3_600_000), state).to.equal("onTrial");
  });

  it("gives a client that reports steps the time for a trial of its own", () => {
    for (const state of [null, "undefined", "new"] as const) {
      const judge = (ms: number) => evaluateEvidence(INSTALLING, OURS, running(OURS, state), ms);
      expect([judge(0), judge(300_000), judge(300_001)], `${state}`).to.deep.equal([
        "onTrial",
        "onTrial",
        "reported",
      ]);
      expect([isSettled(state, 300_000), isSettled(state, 300_001)]).to.deep.equal([false, true]);
    }
    expect(isSettled("pending_verify", 3_600_000)).to.equal(false);
    expect(isSettled("valid", 0)).to.equal(true);
  });

  it("detects a roll back when another image runs after the slot was armed", () => {
    for (const step of ["armed", "trial", null]) {
      expect(evaluateEvidence({ status: "installing", step }, OURS, running(OTHER, "valid"))).to.equal(
        "rolledBack",
      );
    }
  });

  it("concludes nothing before the slot was armed, after a power loss, or without a hash", () => {
    for (const step of ["verifying", "staged"])
      expect(evaluateEvidence({ status: "installing", step }, OURS, running(OTHER, "valid")), step).to.equal(
        "nothing",
      );
    expect(evaluateEvidence({ status: "downloading", step: null }, OURS, running(OTHER, "valid"))).to.equal(
      "nothing",
    );
    expect(evaluateEvidence(INSTALLING, OURS, running(OTHER, "valid", "power-on"))).to.equal("nothing");
    expect(evaluateEvidence(INSTALLING, OURS, running(OTHER, "valid", "brownout"))).to.equal("nothing");
    expect(evaluateEvidence(INSTALLING, OURS, running(null, "valid"))).to.equal("nothing");
  });
});

describe("the claim of a client that reports no hash", () => {
  const RELEASE = { version: "1.1.0", buildNumber: 7 };
  const CLAIMED_AT = 1_000_000;
  const checkAfter = (ms: number, version: string, build = 7) =>
    evaluateClaim(RELEASE, { version, build }, CLAIMED_AT, CLAIMED_AT + ms);

  it("is confirmed by the running version and build", () => {
    expect(checkAfter(0, "1.1.0")).to.equal("reported");
    expect(checkAfter(3_600_000, "1.1.0")).to.equal("reported");
    expect(checkAfter(0, "1.1.0", 6)).to.equal("nothing");
    expect(checkAfter(0, "1.0.0")).to.equal("nothing");
  });

  it("is disproved when another version still runs after two minutes", () => {
    expect(checkAfter(120_000, "1.0.0")).to.equal("nothing");
    expect(checkAfter(120_001, "1.0.0")).to.equal("disproved");
    expect(checkAfter(120_001, "1.1.0", 6)).to.equal("disproved");
  });

  it("is confirmed by the same version in other words, and not disproved by a newer one", () => {
    for (const version of ["v1.1.0", "1.1.0+7", "1.1"])
      expect(checkAfter(0, version), version).to.equal("reported");
    expect(checkAfter(0, "1.1.0+7", 0)).to.equal("reported");
    expect(checkAfter(0, "1.1.0-rc.1")).to.equal("nothing");
    expect(checkAfter(120_001, "1.2.0")).to.equal("nothing");
  });
});

describe("the version of a device that has claimed nothing", () => {
  const RELEASE = { version: "1.1.0", buildNumber: 0 };
  const from = (before: string, now: string) =>
    evaluateVersion(
      { from: { version: before, build: 0 }, claimedAt: null },
      RELEASE,
      { version: now, build: 0 },
      0,
    );

  it("proves that it runs what it was sent, unless it ran that before", () => {
    expect(from("1.0.0", "1.1.0")).to.equal("reported");
    expect(from("unknown", "v1.1.0")).to.equal("reported");
    expect(from("1.2.0", "1.1.0")).to.equal("reported");
    expect(from("v1.1.0", "1.1.0")).to.equal("nothing");
    expect(from("1.0.0", "1.0.0")).to.equal("nothing");
  });

  it("is not needed where there is a claim", () => {
    const attempt = { from: { version: "1.1.0", build: 0 }, claimedAt: 0 };
    expect(evaluateVersion(attempt, RELEASE, { version: "1.1.0", build: 0 }, 1)).to.equal("reported");
    expect(evaluateVersion(attempt, RELEASE, { version: "1.0.0", build: 0 }, 120_001)).to.equal("disproved");
  });
});
