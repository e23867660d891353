import { expect } from "chai";
import { ANSWER_US, clockError, follows, isInStep, meshTime } from "../../../../firmware/core/mesh/clock.js";

describe("the mesh's clock", () => {
  it("counts microseconds and begins again after 71 minutes", () => {
    expect(meshTime(10.9, 0)).equal(10_000);
    expect(meshTime(4_294_968, 0)).equal(704);
    expect(meshTime(0, 2 ** 32 - 1)).equal(0xffffffff);
  });

  it("is wrong by half of both ways' differences, over the end of the count, too", () => {
    expect(clockError(0, 1_000_000, 1_001_500, 1_500)).equal(1_000_000);
    expect(clockError(0xffffff00, 0x100, 0x100 + ANSWER_US, ANSWER_US)).equal(0x180 / 4);
    expect(clockError(5_000_000, 4_000_000, 4_001_500, 5_001_500)).equal(-1_000_000);
  });

  it("approaches a small difference in quarters", () => {
    expect(clockError(0, 400, 1_900, 1_500)).equal(100);
    expect(clockError(0, 4, 1_504, 1_500)).equal(4);
  });

  it("learns nothing from an answer that was on its way for longer than 85 times its making", () => {
    expect(clockError(0, 1_000_000, 1_000_020, 2_000)).equal(0);
    expect(isInStep(0)).equal(false);
    expect(isInStep(4_999) && isInStep(-4_999) && !isInStep(5_000)).equal(true);
  });

  it("is that of the larger side, of equal sides that of the larger id", () => {
    expect(follows({ nodeId: 9, count: 1 }, { nodeId: 1, count: 2 })).equal(true);
    expect(follows({ nodeId: 1, count: 2 }, { nodeId: 9, count: 1 })).equal(false);
    expect(follows({ nodeId: 1, count: 2 }, { nodeId: 9, count: 2 })).equal(true);
    expect(follows({ nodeId: 9, count: 2 }, { nodeId: 1, count: 2 })).equal(false);
  });
});
