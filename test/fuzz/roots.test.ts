import { expect } from "chai";
import { judge, makeInput, randomFrom } from "./trust/roots.js";

describe("random trust roots", () => {
  it("are accepted by a device where the reference accepts them, and nowhere else", async () => {
    let accepted = 0;
    let refused = 0;
    for (let index = 0; index < 500; index++) {
      const input = makeInput(randomFrom(index));
      const verdict = await judge(input);
      if (!verdict) continue;
      expect(verdict.device, `input ${index}: ${JSON.stringify(input)}`).equal(verdict.reference);
      expect(verdict.verifications).most(5);
      if (verdict.reference) accepted += 1;
      else refused += 1;
    }
    expect(accepted, "accepted").above(50);
    expect(refused, "refused").above(100);
  });
});
