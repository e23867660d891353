import { expect } from "chai";
import { backoffMs, jitteredMs } from "../../../firmware/core/backoff.js";

const POLICY = { firstMs: 1000, maximumMs: 60_000 };

describe("backoff", () => {
  it("doubles with each failure up to its maximum", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 1000].map((count) => backoffMs(POLICY, count, 0.999999));
    expect(longest).deep.equal([1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000, 60000]);
  });

  it("spreads a wait over its second half", () => {
    expect(backoffMs(POLICY, 3, 0)).equal(2000);
    expect(backoffMs(POLICY, 3, 0.5)).equal(3000);
  });

  it("shifts a regular check by at most a tenth", () => {
    expect(jitteredMs(120_000, 0)).equal(108_000);
    expect(jitteredMs(120_000, 0.5)).equal(120_000);
    expect(jitteredMs(120_000, 0.999999)).within(131_999, 132_000);
  });
});
