import { expect } from "chai";
import { chipHeap } from "../../host-sim/xs/chip-heaps.js";
import { skipUnless32Bit } from "./chip-bench.js";
import { measureUploads } from "./radio-bench.js";
import { expectScene, RADIO_SCENES, withRoomyStack } from "./radio-scenes.js";

/** What must stay free on the ESP32, as in memory.test.ts. A C3 has 6 KiB more. */
const UNCLAIMED_LEAST_BYTES = 16 * 1024;
describe("memory inside XS of apps with a radio", function () {
  this.timeout(240_000);
  before(function () {
    skipUnless32Bit(this);
  });

  for (const scene of RADIO_SCENES)
    it(`leaves 16 KiB of the heap and a quarter of the stack while ${scene.what}: esp32`, () =>
      expectScene(scene, "esp32", "ESP32", UNCLAIMED_LEAST_BYTES));

  it("leaves as much while the owner uploads images for both devices of a pair: esp32", async () => {
    const heap = chipHeap("esp32", "gateway");
    const { figures, restarts, reports, isDone, trace } = await measureUploads(withRoomyStack(heap));
    expect(isDone, trace.slice(-40).join("\n")).equal(true);
    expect(reports).deep.equal([]);
    expect(restarts).deep.equal([]);
    const { updating, stackCount } = figures.receiver!;
    console.log(
      `      receiver: ${updating.unclaimedBytes} bytes never used, ${stackCount} slots of the stack`,
    );
    expect(updating.unclaimedBytes).above(UNCLAIMED_LEAST_BYTES);
    expect(stackCount).within(100, (heap.stackCount * 3) / 4);
  });

  it("is for a heap that all of these apps are built with, and on a C3 with 6 KiB more", () => {
    for (const app of ["receiver", "transmitter", "gateway", "node"])
      expect(chipHeap("esp32", app)).deep.equal(chipHeap("esp32", "gateway"));
    expect(chipHeap("esp32c3", "gateway").staticBytes - chipHeap("esp32", "gateway").staticBytes).equal(
      6_144,
    );
  });
});
