// The virtual SDK modules against what the SDK printed on an ESP32-C3: whole programs, over all their boots.

import { expect } from "chai";
import { checkProgram, programNames } from "../../../host-sim/vectors/programs.js";
import { expectEqual, vectorFolder } from "../../golden.js";

describe("golden programs of the SDK", () => {
  const names = programNames(vectorFolder);

  it("exist", () => {
    expect(names.length).to.be.greaterThan(25);
  });

  for (const name of names) {
    it(`${name} prints what the chip printed`, async () => {
      const report = await checkProgram(vectorFolder, name);
      expectEqual(report);
      expect(report.equal).to.be.above(report.onPurpose.length);
    });
  }
});
