import { expect } from "chai";
import { judgeManifest, makeManifest } from "./trust/manifests.js";
import { randomFrom } from "./trust/roots.js";
import { judgeStatement, makeStatement } from "./trust/statements.js";

type Verdict = Promise<{ readonly device: boolean; readonly reference: boolean }>;

for (const [what, judge] of [
  ["statements of freshness", (index: number): Verdict => judgeStatement(makeStatement(randomFrom(index)))],
  ["manifests", (index: number): Verdict => judgeManifest(makeManifest(randomFrom(index)))],
] as const)
  describe(`random ${what}`, () => {
    it("are taken by a device where the reference takes them, and nowhere else", async () => {
      let taken = 0;
      let refused = 0;
      for (let index = 0; index < 500; index++) {
        const { device, reference } = await judge(index);
        expect(device, `input ${index}`).equal(reference);
        if (reference) taken += 1;
        else refused += 1;
      }
      expect(taken, "taken").above(100);
      expect(refused, "refused").above(100);
    });
  });
