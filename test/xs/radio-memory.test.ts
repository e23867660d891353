import { expect } from "chai";
import { chipHeap } from "../../host-sim/xs/chip-heaps.js";
import type { XsHeap } from "../../host-sim/xs/heap.js";
import { skipUnless32Bit } from "./chip-bench.js";
import { measureMesh, measurePair, measureUploads, type RadioRun } from "./radio-bench.js";
import { expectInTable, rowOf } from "./table.js";

/** What must stay free on the ESP32. A C3 has 6 KiB more, so that TLS has its 24 there (memory.test.ts). */
const UNCLAIMED_LEAST_BYTES = 20 * 1024;
const BYTES_PER_SLOT = 16;
const ROOMY_STACK_COUNT = 4_096;

/** Where a stack is full, its peak is not seen: the same heap with a larger one. */
function withRoomyStack(heap: XsHeap): XsHeap {
  const more = (ROOMY_STACK_COUNT - heap.stackCount) * BYTES_PER_SLOT;
  return { ...heap, staticBytes: heap.staticBytes + more, stackCount: ROOMY_STACK_COUNT };
}

const SCENES: readonly (readonly [string, (heap: XsHeap) => Promise<RadioRun>, Record<string, string>])[] = [
  ["a pair is updated as one system", measurePair, { receiver: "receiver", transmitter: "transmitter" }],
  ["a gateway updates a node and itself", measureMesh, { gateway: "gateway", "node 1": "node" }],
];

describe("memory inside XS of apps with a radio", () => {
  before(function () {
    skipUnless32Bit(this);
  });

  for (const [what, measure, apps] of SCENES)
    it(`leaves 20 KiB of the heap and a quarter of the stack while ${what}: esp32`, async () => {
      const heap = chipHeap("esp32", "gateway");
      const { figures, restarts, reports, isDone, trace } = await measure(withRoomyStack(heap));
      expect(isDone, trace.slice(-40).join("\n")).equal(true);
      expect(reports).deep.equal([]);
      expect(restarts.filter((cause) => cause !== "restart")).deep.equal([]);
      for (const [device, app] of Object.entries(apps)) {
        const { idle, updating, stackCount } = figures[device]!;
        const row = rowOf(idle, updating);
        console.log(`      ${app}: ${row.join("  ")}, ${stackCount} slots of the stack`);
        expect(updating.unclaimedBytes, `${app}: heap`).above(UNCLAIMED_LEAST_BYTES);
        expect(stackCount, `${app}: stack`).within(100, (heap.stackCount * 3) / 4);
        expectInTable("ESP32", app, row);
      }
    });

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
