// Every state that a system of two devices can get into: see ../core/system/world.ts for what may happen in it.

import { expect } from "chai";
import { expectEnds, expectOneVersion, search, type Worlds } from "../core/system/search.js";

/** More than there are. */
const NO_LIMIT = 1_000_000;

describe("every state of a system of two devices", function () {
  this.timeout(300_000);

  for (const isMisfit of [false, true]) {
    const where = isMisfit ? ", where the new ones do not fit" : "";
    let found: Worlds;
    before(() => {
      found = search({ isMisfit }, NO_LIMIT);
    });

    it(`has one version if it has ended${where}`, () => {
      const verdicts = expectOneVersion(found);
      expect(found.size).above(3_000).and.below(NO_LIMIT);
      expect(verdicts.get("failed")).above(50);
      if (isMisfit) expect(verdicts.get("finished")).equal(undefined);
      else expect(verdicts.get("finished")).above(1);
    });

    it(`ends when there are no more faults${where}`, () => expectEnds(found, { isMisfit }));
  }
});
