import { expect } from "chai";
import { evaluateClaim, evaluateEvidence } from "../../../server/devices/evidence.js";

const OURS = "a".repeat(64);
const OTHER = "b".repeat(64);
const INSTALLING = { status: "installing", step: "armed" } as const;
const running = (
  imageSha256: string | null,
  slotState: "valid" | "factory" | "pending_verify" | "undefined",
  reset = "software",
) => ({
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

  it("detects a roll back when another image runs after the slot was armed", () => {
    for (const step of ["armed", "trial", null]) {
      expect(evaluateEvidence({ status: "installing", step }, OURS, running(OTHER, "valid"))).to.equal(
        "rolledBack",
      );
    }
  });

  it("concludes nothing before the slot was armed, after a power loss, or without a hash", () => {
    expect(
      evaluateEvidence({ status: "installing", step: "verifying" }, OURS, running(OTHER, "valid")),
    ).to.equal("nothing");
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
});
