// Releases as large as their slot, and answers as long as a server may send, in the heap that the SDK gives an ESP32-C3: a quarter
// smaller than what Skyslot's manifest gives it.

import { expect } from "chai";
import { MAX_LISTING_RELEASE_LENGTH } from "../../firmware/core/wire.js";
import { sdkC3Heap } from "../../host-sim/xs/chip-heaps.js";
import { imageOf, readJson, releaseOf, writeJson } from "../journey/rig.js";
import { ChipBench, type ChipBenchOptions, padded, skipUnless32Bit } from "./chip-bench.js";

/** All but a few bytes of a slot of partitions/4mb.csv. */
const SLOT_FILLING_BYTES = 2_031_600;

/** Like the SDK's, except the stack, which must be larger for our firmware. */
const HEAP = Object.freeze({ ...sdkC3Heap(), stackCount: 512 });

const imageOfSize = async (bytes: number) =>
  padded(await imageOf("base", "1.1.0", "esp32", { type: "base" }), bytes);

describe("a large release in the heap of an ESP32-C3", function () {
  this.timeout(300_000);
  let bench: ChipBench;
  before(function () {
    skipUnless32Bit(this);
  });
  afterEach(() => bench?.close());

  async function start(options: ChipBenchOptions = {}): Promise<void> {
    bench = await ChipBench.start({ heap: HEAP, ...options });
    bench.bridge.watch();
    bench.offer();
  }
  const isArmed = () => bench.until(() => bench.hasReported("armed"));
  const print = (what: string) => {
    const { peakSlotBytes, peakChunkBytes, peakBytes } = bench.bridge.use();
    process.stdout.write(
      `      ${what}: peak ${peakBytes} bytes, slots ${peakSlotBytes}, chunks ${peakChunkBytes}\n`,
    );
  };

  it("is installed without a restart when it fills its slot", async () => {
    await start({ update: await imageOfSize(SLOT_FILLING_BYTES) });
    expect(await isArmed()).equal(true);
    expect(bench.rig.updateImage.length).within(SLOT_FILLING_BYTES - 64, SLOT_FILLING_BYTES + 64);
    bench.expectNoRestart();
    print("an image of 2 MB");
  });

  it("is installed without a restart with the longest manifest that lists its digests", async () => {
    const update = await imageOfSize(744_000);
    const release = await releaseOf(update, {}, { format: 1, chunkBytes: 8192 });
    expect(release.length).within(MAX_LISTING_RELEASE_LENGTH - 400, MAX_LISTING_RELEASE_LENGTH);
    await start({
      update,
      lie: async ({ path }, honest) => {
        const answer = await honest();
        const body = path === "/api/ota/check" ? readJson(answer.body!) : {};
        if (!body.update_available) return answer;
        const { digests_url: _, ...listing } = body;
        return { ...answer, body: writeJson({ ...listing, release }) };
      },
    });
    expect(await isArmed()).equal(true);
    bench.expectNoRestart();
    print(`a manifest of ${release.length} characters`);
  });

  it("is not read, without a restart, when its answer exceeds the limit", async () => {
    await start({
      lie: async ({ path }, honest) => {
        const answer = await honest();
        if (path !== "/api/ota/check") return answer;
        return { ...answer, body: writeJson({ ...readJson(answer.body!), release: "x".repeat(7_746) }) };
      },
    });
    const { checks } = bench.rig;
    const before = checks.length;
    await bench.until(() => checks.length > before + 3);
    bench.expectNoRestart();
    expect(bench.rig.trace.join("\n")).match(/the answer is \d+ bytes, at most 7168 are read/);
  });
});
