// The target of a rollout: what each condition includes and excludes, at its edges.

import { expect } from "chai";
import { missesTarget } from "../../../server/rollout/target.js";
import type { Target } from "../../../server/shared/rollout.js";
import { sampleSubject } from "./samples.js";

const isIn = (target: Target, device: Parameters<typeof sampleSubject>[0] = {}): boolean =>
  missesTarget(target, sampleSubject(device)) === undefined;

describe("the target of a rollout", () => {
  it("includes every device if it has no conditions", () => {
    expect(isIn({})).to.equal(true);
    expect(isIn({}, { tags: [], group: null, hardware: null })).to.equal(true);
  });

  it("includes its oldest and its newest version, with all builds of these", () => {
    const target = { fromVersion: "1.0.0", toVersion: "1.2.0" };
    const runs = (version: string, build = 0) => isIn(target, { version, build });
    expect(["1.0.0", "1.1.5", "1.2.0"].map((version) => runs(version))).to.deep.equal([true, true, true]);
    expect(["0.9.9", "1.2.1", "1.0.0-rc.1"].map((version) => runs(version))).to.deep.equal([
      false,
      false,
      false,
    ]);
    expect(runs("1.2.0", 99)).to.equal(true);
  });

  it("compares build numbers exactly", () => {
    const target = { fromVersion: "1.0.0+5", toVersion: "1.0.0+7" };
    const builds = [4, 5, 7, 8].map((build) => isIn(target, { version: "1.0.0", build }));
    expect(builds).to.deep.equal([false, true, true, false]);
  });

  it("includes a device with any of its tags, in any of its groups, of any of its hardware", () => {
    expect(isIn({ tags: ["lab", "home"] }, { tags: ["home"] })).to.equal(true);
    expect(isIn({ tags: ["lab", "home"] }, { tags: ["office"] })).to.equal(false);
    expect(isIn({ groups: ["rome", "berlin"] }, { group: "berlin" })).to.equal(true);
    expect(isIn({ groups: ["rome"] }, { group: null })).to.equal(false);
    expect(isIn({ hardware: ["esp32", "board"] }, { hardware: "board" })).to.equal(true);
    expect(isIn({ hardware: ["esp32"] }, { hardware: null })).to.equal(false);
  });

  it("includes the devices that it names, and requires all of its conditions", () => {
    expect(isIn({ devices: ["d1"] }, { id: "d1" })).to.equal(true);
    expect(isIn({ devices: ["d1"] }, { id: "d2" })).to.equal(false);
    expect(isIn({ devices: ["d1"], tags: ["lab"] }, { id: "d1", tags: [] })).to.equal(false);
  });
});
