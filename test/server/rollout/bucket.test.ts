import { expect } from "chai";
import { bucketOf, isWithin } from "../../../server/rollout/bucket.js";
import { randomFrom } from "./samples.js";

const FLEET = Array.from({ length: 5000 }, (_, index) => `base-${index.toString(16).padStart(6, "0")}`);

describe("the place of a device in a rollout", () => {
  it("never changes: these numbers are fixed", () => {
    expect([
      bucketOf("seed", "base-010203"),
      bucketOf("seed", "base-010204"),
      bucketOf("other", "base-010203"),
    ]).to.deep.equal([3129, 5052, 6764]);
  });

  it("is within a larger share if it is within a smaller", () => {
    const random = randomFrom(2);
    for (let run = 0; run < 2000; run++) {
      const [a, b] = [random() * 100, random() * 100].sort((one, other) => one - other);
      const id = FLEET[Math.floor(random() * FLEET.length)] ?? "";
      if (isWithin(bucketOf(`${run}`, id), a ?? 0))
        expect(isWithin(bucketOf(`${run}`, id), b ?? 0), `run ${run}`).to.equal(true);
    }
  });

  it("is always within 100 % and never within 0 %", () => {
    expect(FLEET.every((id) => isWithin(bucketOf("seed", id), 100))).to.equal(true);
    expect(FLEET.some((id) => isWithin(bucketOf("seed", id), 0))).to.equal(false);
  });

  it("is spread evenly, and differently for each seed", () => {
    const within = (seed: string, percent: number) =>
      FLEET.filter((id) => isWithin(bucketOf(seed, id), percent));
    for (const percent of [1, 10, 50]) {
      const expected = (FLEET.length * percent) / 100;
      expect(within("seed", percent).length).to.be.within(
        expected - 4 * Math.sqrt(expected),
        expected + 4 * Math.sqrt(expected),
      );
    }
    const [one, other] = [new Set(within("one", 10)), within("two", 10)];
    expect(other.filter((id) => one.has(id)).length).to.be.within(20, 90);
  });
});
