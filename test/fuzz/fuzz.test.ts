import { expect } from "chai";
import { runFuzz } from "./run.js";

/** `FUZZ_SEED` repeats a run; `npm run fuzz` is the long one. */
const seed = process.env.FUZZ_SEED ?? "skyslot";
const REQUEST_COUNT = 4000;

describe("the server under random requests", () => {
  it(`answers none of ${REQUEST_COUNT} with 5xx, hangs on none, and keeps its memory`, async function () {
    this.timeout(300_000);
    const { failures, statuses, routeCount, unreached, refused } = await runFuzz({
      seed,
      requestCount: REQUEST_COUNT,
    });
    expect(failures, `seed ${seed}: ${JSON.stringify(failures[0])}`).to.deep.equal([]);
    expect(routeCount).to.be.above(100);
    expect(unreached, "routes whose handlers never ran").to.deep.equal([]);
    // Of few requests to each route, by chance none may be carried out.
    expect(refused.length, `refused every request: ${refused.join(", ")}`).to.be.below(routeCount / 10);
    for (const status of [200, 201, 400, 401, 404, 409, 413, 415, 422])
      expect(statuses.get(status), `answers of ${status}`).to.be.above(0);
    expect(statuses.get(200)).to.be.above(REQUEST_COUNT / 20);
  });
});
