// What a system of two devices comes to, from its beginning and from the states that take the fewest steps. All states are searched in
// test/firmware/system.

import { expect } from "chai";
import { expectEnds, expectOneVersion, expectVerdictOfTrials, search } from "./search.js";

/** Inside XS, which has no process and takes ten times as long, fewer. */
const WORLD_COUNT = globalThis.process === undefined ? 60 : 600;

describe("a system of two devices", () => {
  for (const isMisfit of [false, true]) {
    const where = isMisfit ? ", where the new ones do not fit" : "";

    it(`comes to its end with one version${where}`, () => {
      const found = search({ isMisfit }, WORLD_COUNT);
      expect(found.size).equal(WORLD_COUNT);
      expectOneVersion(found);
      expectEnds(found, { isMisfit });
    });

    it(`${isMisfit ? "goes" : "leads to the new version if the images are good, and goes"} back otherwise${where}`, () => {
      expectVerdictOfTrials({ isMisfit });
    });
  }
});
