// What the tests require of golden vectors: that every case of a file is equal, and that there are enough of them.

import { expect } from "chai";
import { checkFile } from "../host-sim/vectors/check.js";
import type { FileReport } from "../host-sim/vectors/comparison.js";
import { defaultVectorFolder } from "../host-sim/vectors/folder.js";

export const vectorFolder = defaultVectorFolder();

export function expectGolden(
  name: string,
  least: { readonly casesMin: number; readonly partsMin?: number },
): void {
  const report = checkFile(vectorFolder, name);
  expectEqual(report);
  expect(report.cases).to.be.at.least(least.casesMin);
  if (least.partsMin !== undefined) expect(report.parts?.count).to.be.at.least(least.partsMin);
}

/** A failure shows the first difference in full. */
export function expectEqual({ different, first }: FileReport): void {
  expect({ different, first }).to.deep.equal({ different: 0, first: undefined });
}
