// The kind: a value of the build that fails at every boot, which no update could mend.

import { expect } from "chai";
import type { BuildSettings } from "../../../../firmware/core/event.js";
import { checkBuild } from "../../../../firmware/core/settings/build-settings.js";

const BUILD: BuildSettings = {
  server: "http://updates.local:8080/",
  checkSeconds: 60,
  trialSeconds: 30,
  trialDeadlineSeconds: 300,
  keys: [{ kid: "key-1", x: "", y: "" }],
};
const checked = (changes: object) => checkBuild({ ...BUILD, ...changes } as BuildSettings);

describe("a build's settings", () => {
  it("are taken as they are if they can be used, also as texts of a command line", () => {
    const expected = { build: { ...BUILD, server: "http://updates.local:8080" }, problems: [] };
    expect(checked({})).deep.equal(expected);
    expect(checked({ checkSeconds: "60", trialSeconds: "30" })).deep.equal(expected);
  });

  it("name no server if theirs cannot be asked, and say what to do", () => {
    for (const server of ["", "ftp://x", "x", undefined, null, 5, "http://a b", "x".repeat(300)]) {
      const { build, problems } = checked({ server });
      expect(build.server, String(server)).equal("");
      expect(problems.map(({ code }) => code)).deep.equal(["BUILD_INVALID"]);
      expect(problems[0]!.message).match(
        /^This build's update server cannot be asked for updates\. The address .* page\.$/,
      );
    }
  });

  it("have usual times in the place of those that cannot be used", () => {
    for (const seconds of [0, -1, Number.NaN, Infinity, 1e9, "soon", "", null, undefined]) {
      const { build, problems } = checked({
        checkSeconds: seconds,
        trialSeconds: seconds,
        trialDeadlineSeconds: seconds,
      });
      expect(build).include({ checkSeconds: 120, trialSeconds: 30, trialDeadlineSeconds: 120 });
      expect(problems, String(seconds)).have.length(3);
    }
  });
});
