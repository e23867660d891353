// A trust root of the greatest length, verified and stored in the heap that the SDK gives a C3.

import { expect } from "chai";
import { MAX_ROOT_LENGTH, type RootPayload } from "../../firmware/core/wire.js";
import { chipHeap, sdkC3Heap } from "../../host-sim/xs/chip-heaps.js";
import { makeHolder, signRoot } from "../journey/ceremony.js";
import { imageOf, readJson, releaseKeys, START_TIME, writeJson } from "../journey/rig.js";
import { ChipBench, skipUnless32Bit } from "./chip-bench.js";

describe("a trust root inside XS", () => {
  let bench: ChipBench | undefined;
  before(function () {
    skipUnless32Bit(this);
  });
  afterEach(() => bench?.close());

  it("of 1.4 KiB is verified and stored in the SDK's heap of a C3", async () => {
    const { x = "", y = "" } = (await releaseKeys()).publicKey;
    const holders = [makeHolder(), makeHolder(), makeHolder()] as const;
    const payload: RootPayload = {
      version: 1,
      expires: START_TIME + 31_536_000,
      threshold: 2,
      keys: [...holders.map(({ point }) => point), { x, y }, makeHolder().point, makeHolder().point],
      root: [0, 1, 2],
      release: [3, 4],
      freshness: [5],
      releaseThreshold: 1,
      minSecurityVersion: 0,
    };
    const signers = [
      { holder: holders[0], key: 0 },
      { holder: holders[1], key: 1 },
    ];
    const [first, second] = [1, 2].map((version) => signRoot({ ...payload, version }, signers)) as [
      string,
      string,
    ];
    expect(second.length).within(1400, MAX_ROOT_LENGTH);
    const roots: number[] = [];
    bench = await ChipBench.start({
      heap: { ...sdkC3Heap(), stackCount: chipHeap("esp32c3").stackCount },
      image: await imageOf("base", "1.0.0", "esp32", { root: first }),
      lie: async (request, honest) => {
        if (request.path === "/api/v1/roots/2")
          return { status: 200, headers: {}, body: new TextEncoder().encode(second) };
        const answer = await honest();
        if (request.path !== "/api/ota/check") return answer;
        const { root_version: held } = readJson(request.body) as { readonly root_version: number };
        roots.push(held);
        const body = {
          update_available: false,
          time: START_TIME,
          ...(held < 2 ? { root_url: "/api/v1/roots/2" } : {}),
        };
        return { ...answer, status: 200, body: writeJson(body) };
      },
    });
    const before = bench.idle!;
    expect(before, bench.reports.join()).not.equal(undefined);
    bench.offer();
    expect(await bench.until(() => roots.at(-1) === 2), bench.reports.join()).equal(true);
    const peak = bench.bridge.use();
    const after = bench.bridge.collect();
    bench.expectNoRestart();
    // while it is verified, and in the end: the root that is held has taken the place of the one before
    expect(
      peak.claimedSlotBytes + peak.claimedChunkBytes - before.claimedSlotBytes - before.claimedChunkBytes,
    ).most(2_560);
    expect(after.slotBytes + after.chunkBytes - before.slotBytes - before.chunkBytes).most(3_584);
  });
});
