import { expect } from "chai";
import { RateLimit } from "../../../server/shared/rate.js";

describe("the rate limit", () => {
  it("allows a burst, then a number per second", () => {
    const limit = new RateLimit({ burst: 3, perSecond: 2 });
    expect([1, 2, 3].map(() => limit.take("d", 0))).to.deep.equal([0, 0, 0]);
    expect(limit.take("d", 0)).to.equal(500);
    expect(limit.take("d", 499)).to.be.above(0);
    expect([1, 2].map(() => limit.take("d", 1000))).to.deep.equal([0, 0]);
    expect(limit.take("d", 1000)).to.be.above(0);
  });

  it("counts every device separately", () => {
    const limit = new RateLimit({ burst: 1, perSecond: 1 });
    expect(limit.take("a", 0)).to.equal(0);
    expect(limit.take("b", 0)).to.equal(0);
    expect(limit.take("a", 0)).to.equal(1000);
  });

  it("is not fooled by a clock that goes back", () => {
    const limit = new RateLimit({ burst: 1, perSecond: 1 });
    expect(limit.take("a", 5000)).to.equal(0);
    expect(limit.take("a", 0)).to.equal(1000);
  });
});
