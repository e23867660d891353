import { expect } from "chai";
import type { Store } from "../../../server/store/store.js";

const SIZE = { burst: 3, dropMs: 10_000 };

export function loginBucketContract(store: () => Store): void {
  describe("buckets of sign-ins", () => {
    const take = (now: number, name = "ada") => store().takeDrop(name, SIZE, now);

    it("give what is in them, and return the time until the next drop", async () => {
      for (let i = 0; i < 3; i++) expect(await take(1000)).to.equal(0);
      expect(await take(1000)).to.equal(10_000);
      expect(await take(8000)).to.equal(3000);
      expect(await take(1000, "bob")).to.equal(0);
      expect(await take(11_000)).to.equal(0);
      expect(await take(11_000)).to.equal(10_000);
    });

    it("are never fuller than full", async () => {
      await take(0);
      for (let i = 0; i < 3; i++) expect(await take(1_000_000)).to.equal(0);
      expect(await take(1_000_000)).to.be.above(0);
    });

    it("give each drop once, however many come at once", async () => {
      const waits = await Promise.all(Array.from({ length: 12 }, () => take(5000)));
      expect(waits.filter((wait) => wait === 0)).to.have.length(3);
    });

    it("are refilled on request, and no others", async () => {
      for (let i = 0; i < 3; i++) await Promise.all([take(0), take(0, "bob")]);
      await store().fillBucket("ada");
      expect(await take(0)).to.equal(0);
      expect(await take(0, "bob")).to.be.above(0);
    });

    it("are removed when they are full, and the fullest when there are too many", async () => {
      await take(0, "full");
      for (let i = 0; i < 5; i++) await take(10_000 + i, `b${i}`);
      expect(await store().pruneBuckets({ now: 10_000, maxCount: 5 })).to.equal(1);
      expect(await store().pruneBuckets({ now: 10_000, maxCount: 2 })).to.equal(3);
      expect(await store().pruneBuckets({ now: 10_000, maxCount: 2 })).to.equal(0);
      expect(await take(10_004, "b4"), "one of the two is b4").to.equal(0);
      await take(10_004, "b4");
      expect(await take(10_004, "b4")).to.be.above(0);
    });
  });
}
