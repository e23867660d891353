// Which releases may be offered on the way to one that requires another first.

import { expect } from "chai";
import { chooseRelease } from "../../../server/rollout/choose-release.js";
import { NO_FACTS } from "../../../server/rollout/decision.js";
import type { Rollout, RolloutState } from "../../../server/shared/rollout.js";
import { NOW, sampleRelease, sampleRollout, sampleStage, sampleSubject } from "./samples.js";

const BETWEEN = sampleRelease("1.1.0", { id: 1 });
const WANTED = sampleRelease("2.0.0", { id: 2, minCurrentVersion: "1.1.0" });

/** The version that a device with 1.0.0 is offered on its way to 2.0.0. */
const offered = (between: Partial<typeof BETWEEN>, rollouts: readonly Rollout[] = []) =>
  chooseRelease({
    device: sampleSubject(),
    releases: [{ ...BETWEEN, ...between }, WANTED],
    rollouts,
    facts: NO_FACTS,
    now: NOW,
  }).offer?.release.version;

/** A rollout of the release in between that has no stage for the device. */
const rolloutFor = (others: string, state: RolloutState): Rollout =>
  sampleRollout({
    firmwareId: BETWEEN.id,
    state,
    stages: [{ ...sampleStage(0), percent: undefined, groups: [others] } as never],
  });

describe("an intermediate release", () => {
  it("is a stable release that no rollout restricts to some devices", () => {
    expect(offered({})).to.equal("1.1.0");
    expect(offered({ isStable: false })).to.equal(undefined);
    expect(offered({ hardware: "another" })).to.equal(undefined);
    for (const state of ["draft", "running", "paused", "cancelled"] as const)
      expect(offered({}, [rolloutFor("rome", state)]), state).to.equal(undefined);
  });

  it("is for all once one of its rollouts is finished", () => {
    expect(offered({}, [rolloutFor("rome", "running"), rolloutFor("berlin", "finished")])).to.equal("1.1.0");
  });
});
