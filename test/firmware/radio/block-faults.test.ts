import assert from "node:assert/strict";
import { areWhole, runFaults } from "../core/radio/block-world.js";

const SEED_COUNT = 1_000;

describe("blocks by radio, with many seeds", function () {
  this.timeout(300_000);

  it(`arrive whole with ${SEED_COUNT} seeds of loss, repeated and late frames, and power cuts`, () => {
    let lostCount = 0;
    for (let seed = 0; seed < SEED_COUNT; seed++) {
      const world = runFaults(seed);
      assert.ok(areWhole(world), `seed ${seed}`);
      if (world.air.loss > 0.2) lostCount += 1;
    }
    assert.ok(lostCount > SEED_COUNT / 3);
  });
});
