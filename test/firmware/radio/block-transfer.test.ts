import { assert } from "chai";
import { PARTS_A_BLOCK } from "../../../firmware/core/radio/block-code.js";
import { ANNOUNCE, DATA, PARITY, STATUS } from "../../../firmware/core/radio/block-frames.js";
import { randomStream } from "../../../host-sim/world/random.js";
import {
  areWhole,
  BlockWorld,
  type BlockWorldOptions,
  GATEWAY,
  runFaults,
} from "../core/radio/block-world.js";

const HOUR = 3_600_000;

function transfer(options: Partial<BlockWorldOptions> = {}): BlockWorld {
  const world = new BlockWorld({ seed: 1, imageBytes: 100_000, nodeCount: 5, loss: 0.2, ...options });
  world.beginAll();
  assert.ok(world.run(HOUR), `${world.nodes.filter(({ isDone }) => !isDone).length} devices have no image`);
  return world;
}

const countOf = ({ air }: BlockWorld, ...types: number[]) =>
  types.reduce((sum, type) => sum + (air.counts.get(type) ?? 0), 0);
const dataCount = (world: BlockWorld) => countOf(world, ...[0, 1, 2, 3, 4, 5, 6, 7].map((i) => DATA + i));

/** `SKYSLOT_SEEDS` tries more. */
const SEED_COUNT = Number(process.env.SKYSLOT_SEEDS ?? 400);

describe("blocks by radio", () => {
  it("bring an image to one device without loss, each part once", () => {
    const world = transfer({ nodeCount: 1, loss: 0 });
    assert.strictEqual(dataCount(world), 6 * PARTS_A_BLOCK + 8);
    assert.strictEqual(countOf(world, PARITY), 0);
    assert.ok(countOf(world, STATUS, ANNOUNCE) < 12);
    assert.deepEqual(world.nodes[0]!.right, [0, 1, 2, 3, 4, 5, 6]);
  });

  it("bring it to one device with loss by sending again what it lacks, without parities", () => {
    const world = transfer({ nodeCount: 1 });
    assert.strictEqual(countOf(world, PARITY), 0);
    assert.ok(world.air.frameCount < 1.45 * (6 * PARTS_A_BLOCK + 8), `${world.air.frameCount}`);
  });

  it("bring it to many devices with parities", () => {
    const world = transfer({ nodeCount: 20 });
    const partCount = 6 * PARTS_A_BLOCK + 8;
    // each once, and the last that a device lacks of a block once more
    const again = dataCount(world) - partCount;
    assert.ok(again >= 0 && again < 0.05 * partCount, `${again} of ${partCount} parts again`);
    assert.ok(countOf(world, PARITY) > again);
  });

  it("bring it to devices that lose so much that they cannot repair a block", () => {
    const world = transfer({ loss: 0.6, imageBytes: 40_000 });
    assert.ok(dataCount(world) > 2 * 181);
  });

  it("bring images of any length", () => {
    for (const imageBytes of [1, 16, 223, 224, 225, 16_383, 16_384, 16_385, 20_000, 32_768])
      transfer({ imageBytes, nodeCount: 3, seed: imageBytes });
  });

  it("put up with repeated and late frames", () => {
    for (let seed = 0; seed < 10; seed++) transfer({ seed, duplication: 0.3, reorderingMs: 80 });
  });

  it("erase each sector once when nothing goes wrong", () => {
    const world = transfer({ nodeCount: 3 });
    for (const { flash } of world.nodes) assert.strictEqual(flash.eraseCount, Math.ceil(100_000 / 4096));
  });

  it("do not wait for devices that are gone", () => {
    const quick = transfer({ nodeCount: 10, seed: 5 });
    const world = new BlockWorld({ seed: 5, imageBytes: 100_000, nodeCount: 20, loss: 0.2 });
    world.beginAll();
    world.air.runFor(1_500);
    const gone = world.nodes.splice(10);
    for (const node of gone) node.cutPower();
    assert.ok(world.run(HOUR));
    assert.ok(world.air.nowMs < 2 * quick.air.nowMs + 5_000, `${world.air.nowMs} ms, not ${quick.air.nowMs}`);
  });

  it("serve a device that joins late, once the others have theirs", () => {
    const world = new BlockWorld({ seed: 3, imageBytes: 150_000, nodeCount: 6, loss: 0.1 });
    const [late, ...others] = world.nodes;
    for (const node of others) node.begin();
    world.air.runFor(8_000);
    assert.ok(others.some(({ right }) => right.length > 1));
    late!.begin();
    assert.ok(world.run(HOUR));
    assert.strictEqual(late!.right.length, 10);
  });

  it("go on after a power cut with the block that was not finished", () => {
    const world = new BlockWorld({ seed: 4, imageBytes: 150_000, nodeCount: 4, loss: 0.2 });
    world.beginAll();
    const [node] = world.nodes;
    assert.ok(world.air.runUntil(() => node!.right.length === 3, HOUR));
    world.air.runFor(300);
    node!.cutPower();
    world.air.runFor(4_000);
    node!.restart();
    assert.ok(world.run(HOUR));
    assert.deepEqual(node!.right, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it("are not held up by a device that asks and hears nothing", () => {
    const deaf = "02:00:00:00:01:00";
    const world = new BlockWorld({
      seed: 6,
      imageBytes: 150_000,
      nodeCount: 8,
      loss: 0.1,
      hears: (to) => to !== deaf,
    });
    world.beginAll();
    const others = world.nodes.slice(1);
    assert.ok(world.air.runUntil(() => others.every(({ isDone }) => isDone), HOUR));
    const reference = transfer({ seed: 6, imageBytes: 150_000, nodeCount: 7, loss: 0.1 });
    assert.ok(world.air.frameCount < 2 * reference.air.frameCount, `${world.air.frameCount} frames`);
    world.air.runFor(120_000);
    assert.match(world.nodes[0]!.failure ?? "", /nothing was heard of the gateway/);
  });

  it("fetch a block again that a forged parity has spoilt", () => {
    const world = new BlockWorld({ seed: 7, imageBytes: 60_000, nodeCount: 6, loss: 0.25 });
    // a stranger that uses the gateway's address, where the gateway itself is not
    const forger = world.air.join({ address: "gateway's address", step: () => [] });
    forger.channel = 1;
    let forgedCount = 0;
    world.air.onSent = ({ bytes }) => {
      if (bytes[0] !== PARITY || forgedCount >= 4) return;
      forgedCount += 1;
      const forged = bytes.with(12, bytes[12]! ^ 0x55).with(100, bytes[100]! ^ 0xff);
      for (const node of world.nodes)
        node.station.dispatch({
          type: "frameReceived",
          from: GATEWAY,
          isBroadcast: true,
          bytes: forged,
          rssi: -40,
        });
    };
    world.beginAll();
    assert.ok(world.run(HOUR));
    assert.ok(
      world.nodes.some(({ wrong }) => wrong.length > 0),
      "no block was spoilt: the test shows nothing",
    );
  });

  it("believe nobody but the gateway", () => {
    const world = new BlockWorld({ seed: 8, imageBytes: 60_000, nodeCount: 2, loss: 0 });
    world.beginAll();
    world.air.onSent = ({ bytes }) => {
      const forged = bytes.with(bytes.length - 1, bytes.at(-1)! ^ 0xff);
      for (const node of world.nodes)
        node.station.dispatch({
          type: "frameReceived",
          from: "02:66:66:66:66:66",
          isBroadcast: true,
          bytes: forged,
          rssi: -40,
        });
    };
    assert.ok(world.run(HOUR));
    assert.ok(world.nodes.every(({ wrong }) => wrong.length === 0));
  });

  it("keep within the image whatever frames come, and recover from all of them", () => {
    const world = new BlockWorld({ seed: 9, imageBytes: 60_000, nodeCount: 3, loss: 0.1 });
    const random = randomStream("junk");
    let junkCount = 0;
    world.air.onSent = ({ bytes }) => {
      if (junkCount > 3_000) return;
      junkCount += 1;
      const junk = bytes.slice(0, Math.floor(random() * 2 * bytes.length));
      for (let i = 0; i < 3; i++)
        if (random() < 0.7) junk[Math.floor(random() * junk.length)] = random() * 256;
      const from = random() < 0.5 ? GATEWAY : "02:66:66:66:66:66";
      const heard = { type: "frameReceived", from, isBroadcast: true, bytes: junk, rssi: -40 } as const;
      if (junk.length > 0) for (const node of world.nodes) node.station.dispatch(heard);
      if (junk.length > 0) world.gateway.station.dispatch({ ...heard, from: "02:66:66:66:66:66" });
    };
    world.beginAll();
    assert.ok(world.run(10 * HOUR));
    assert.ok(junkCount > 500);
  });

  it("end when nobody asks any more", () => {
    const world = transfer({ nodeCount: 2 });
    world.air.runFor(60_000);
    assert.deepEqual(world.gateway.news, ["blocksIdle"]);
    const before = world.air.frameCount;
    world.air.runFor(600_000);
    assert.strictEqual(world.air.frameCount, before);
  });

  it(`arrive whole with ${SEED_COUNT} seeds of loss, repeated and late frames, and power cuts`, function () {
    this.timeout(SEED_COUNT * 300);
    for (let seed = 0; seed < SEED_COUNT; seed++) assert.ok(areWhole(runFaults(seed)), `seed ${seed}`);
  });
});
