// Small images: these tests also run inside XS. Many devices and seeds are in test/firmware/radio.

import { assert } from "chai";
import { ANNOUNCE, DATA, PARITY, STATUS } from "../../../../firmware/core/radio/block-frames.js";
import { areWhole, BlockWorld, type BlockWorldOptions, GATEWAY, runFaults } from "./block-world.js";

const HOUR = 3_600_000;
/** One block of 74 parts, and 4 parts of another. */
const IMAGE_BYTES = 16_384 + 800;
const PART_COUNT = 78;

function transfer(options: Partial<BlockWorldOptions> = {}): BlockWorld {
  const world = new BlockWorld({ seed: 1, imageBytes: IMAGE_BYTES, nodeCount: 1, loss: 0.2, ...options });
  world.beginAll();
  assert.ok(world.run(HOUR));
  assert.ok(areWhole(world));
  return world;
}

const countOf = ({ air }: BlockWorld, ...types: number[]) =>
  types.reduce((sum, type) => sum + (air.counts.get(type) ?? 0), 0);
const dataCount = (world: BlockWorld) => countOf(world, ...[0, 1, 2, 3, 4, 5, 6, 7].map((i) => DATA + i));

describe("an image by radio", () => {
  it("reaches one device without loss, each part once", () => {
    const world = transfer({ loss: 0 });
    assert.strictEqual(dataCount(world), PART_COUNT);
    assert.strictEqual(countOf(world, PARITY), 0);
    assert.ok(countOf(world, STATUS, ANNOUNCE) < 10);
    assert.deepEqual(world.nodes[0]!.right, [0, 1]);
    assert.strictEqual(world.nodes[0]!.flash.eraseCount, 5, "each sector is erased once");
  });

  it("reaches one device with loss, which asks for what it lacks", () => {
    const world = transfer();
    assert.strictEqual(countOf(world, PARITY), 0);
    assert.ok(dataCount(world) > PART_COUNT);
  });

  it("reaches several with loss by parities", () => {
    const world = transfer({ nodeCount: 3, reorderingMs: 30, duplication: 0.1 });
    assert.ok(countOf(world, PARITY) > 0);
    assert.isAtMost(
      dataCount(world),
      PART_COUNT + 4,
      "each part was sent once, but for the last that were missing",
    );
  });

  it("is fetched again from the block that was spoilt", () => {
    const world = new BlockWorld({ seed: 7, imageBytes: IMAGE_BYTES, nodeCount: 1, loss: 0 });
    let forgedCount = 0;
    world.air.onSent = ({ bytes }) => {
      if (bytes[0]! < DATA || forgedCount > 0) return;
      forgedCount += 1;
      const forged = bytes.slice();
      forged[100] = forged[100]! ^ 0xff;
      const heard = {
        type: "frameReceived",
        from: GATEWAY,
        isBroadcast: true,
        bytes: forged,
        rssi: -40,
      } as const;
      world.nodes[0]!.station.dispatch(heard);
    };
    world.beginAll();
    assert.ok(world.run(HOUR));
    assert.ok(areWhole(world));
    assert.deepEqual(world.nodes[0]!.wrong, [0]);
  });

  it("costs latecomers' first blocks once more for all of them, and not a pass for each", () => {
    const imageBytes = 6 * 16_384;
    const world = new BlockWorld({ seed: 3, imageBytes, nodeCount: 4, loss: 0.1 });
    const [first, ...late] = world.nodes;
    first!.begin();
    for (const node of late) {
      world.air.runUntil(() => first!.right.length > late.indexOf(node), HOUR);
      node.begin();
    }
    assert.ok(world.run(HOUR));
    assert.ok(areWhole(world));
    // the last of them has missed four blocks, if not a part of the fourth
    assert.isBelow(dataCount(world), (6 + 4) * 74 + 74);
  });

  it("arrives whole through faults of every kind", () => {
    for (let seed = 0; seed < 8; seed++) assert.ok(areWhole(runFaults(seed)), `seed ${seed}`);
  });
});
