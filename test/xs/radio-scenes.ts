// What tests of apps with a radio measure on each chip, and what has to be left there.

import { expect } from "chai";
import { chipHeap, type HeapChip } from "../../host-sim/xs/chip-heaps.js";
import type { XsHeap } from "../../host-sim/xs/heap.js";
import { measureMesh, measurePair, type RadioRun } from "./radio-bench.js";
import { expectInTable, rowOf } from "./table.js";

const BYTES_PER_SLOT = 16;
const ROOMY_STACK_COUNT = 4_096;

/** Where a stack is full, its peak is not seen: the same heap with a larger one, which lies in the block, if there is one. */
export function withRoomyStack(heap: XsHeap): XsHeap {
  const more = (ROOMY_STACK_COUNT - heap.stackCount) * BYTES_PER_SLOT;
  const staticBytes = heap.staticBytes > 0 ? heap.staticBytes + more : 0;
  return { ...heap, staticBytes, stackCount: ROOMY_STACK_COUNT };
}

export interface RadioScene {
  readonly what: string;
  readonly measure: (heap: XsHeap) => Promise<RadioRun>;
  /** Of its devices. */
  readonly apps: Readonly<Record<string, string>>;
}

export const RADIO_SCENES: readonly RadioScene[] = Object.freeze([
  Object.freeze({
    what: "a pair is updated as one system",
    measure: measurePair,
    apps: { receiver: "receiver", transmitter: "transmitter" },
  }),
  Object.freeze({
    what: "a gateway updates a node and itself",
    measure: measureMesh,
    apps: { gateway: "gateway", "node 1": "node" },
  }),
]);

/**
 * Plays a scene in the heap of a chip: it comes to its end without a crash, leaves this much and a quarter of the stack, and needs what
 * ARCHITECTURE says.
 * @param row the first chip of the table's group
 */
export async function expectScene(
  { measure, apps }: RadioScene,
  chip: HeapChip,
  row: string,
  leastBytes: number,
) {
  const heap = chipHeap(chip, "gateway");
  const { figures, restarts, reports, isDone, trace } = await measure(withRoomyStack(heap));
  expect(isDone, trace.slice(-40).join("\n")).equal(true);
  expect(reports).deep.equal([]);
  expect(restarts.filter((cause) => cause !== "restart")).deep.equal([]);
  for (const [device, app] of Object.entries(apps)) {
    const { idle, updating, stackCount } = figures[device]!;
    const measured = rowOf(idle, updating);
    console.log(`      ${app}: ${measured.join("  ")}, ${stackCount} slots of the stack`);
    expect(updating.unclaimedBytes, `${app}: heap`).above(leastBytes);
    expect(stackCount, `${app}: stack`).within(100, (heap.stackCount * 3) / 4);
    expectInTable(row, app, measured);
  }
}
