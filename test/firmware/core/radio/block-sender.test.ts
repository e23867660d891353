import { assert } from "chai";
import type { Stamped } from "../../../../firmware/core/event.js";
import { ANNOUNCE, DATA, statusFrame } from "../../../../firmware/core/radio/block-frames.js";
import {
  extendBlocks,
  type Sending,
  senderStep,
  serveBlocks,
  serveOther,
  wantBlocks,
} from "../../../../firmware/core/radio/block-sender.js";
import type { BlockEffect, BlockEvent } from "../../../../firmware/core/radio/block-vocabulary.js";

const ID = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
const IMAGE = { attempt: -9, id: ID, imageBytes: 20_000, from: "cache" } as const;

/** A sender whose flash answers at once; `sent` are its frames, which leave when `leave` is called. */
function sender(availableBytes: number = IMAGE.imageBytes) {
  let state: Sending = serveBlocks(IMAGE, availableBytes, 0);
  const sent: Uint8Array[] = [];
  const numbers: number[] = [];
  const others: BlockEffect[] = [];
  function apply([next, effects]: readonly [Sending, readonly BlockEffect[]]): void {
    state = next;
    for (const effect of effects) {
      if (effect.type === "sendFrame") {
        sent.push(effect.bytes);
        numbers.push(effect.frame);
      } else if (effect.type === "combineParts")
        tell({ type: "partsCombined", attempt: effect.attempt, bytes: new Uint8Array(224) });
      else others.push(effect);
    }
  }
  function tell(event: BlockEvent, at = 0): void {
    apply(senderStep(state, { ...event, at, random: 0, freeHeapBytes: 1e5 } as Stamped<BlockEvent>));
  }
  return {
    sent,
    numbers,
    others,
    apply,
    tell,
    get state() {
      return state;
    },
    ask(block = 0, change: object = {}) {
      const status = {
        id: ID,
        imageBytes: 20_000,
        block,
        endBlock: 2,
        room: 31,
        settled: new Uint8Array(10),
      };
      const bytes = statusFrame({ ...status, ...change });
      tell({ type: "frameReceived", from: "02:00:00:00:01:00", isBroadcast: true, bytes, rssi: -50 });
    },
    wake: () => tell({ type: "timerFired", timer: "block.send" }),
    leave: (isAcknowledged = true) => tell({ type: "frameSent", frame: numbers.shift()!, isAcknowledged }),
  };
}

const typesOf = (frames: readonly Uint8Array[]) => frames.map(([type]) => (type! >= DATA ? DATA : type));

describe("a sender of blocks", () => {
  it("is silent until somebody asks for its image", () => {
    const gateway = sender();
    gateway.ask(0, { id: new Uint8Array(8) });
    gateway.ask(0, { imageBytes: 20_001 });
    gateway.wake();
    assert.deepEqual(gateway.sent, []);
    gateway.ask();
    gateway.wake();
    assert.deepEqual(typesOf(gateway.sent), [ANNOUNCE, ANNOUNCE]);
  });

  it("has two frames at the radio at most, and leaves the air to others from time to time", () => {
    const gateway = sender();
    gateway.ask();
    gateway.wake();
    for (let i = 0; i < 14; i++) gateway.leave();
    assert.strictEqual(gateway.sent.length, 16);
    gateway.leave();
    assert.strictEqual(gateway.sent.length, 16, "it pauses");
    gateway.wake();
    assert.strictEqual(gateway.sent.length, 17);
  });

  it("sends again, after a pause, what the radio had no room for", () => {
    const gateway = sender();
    gateway.ask();
    gateway.wake();
    for (let i = 0; i < 4; i++) gateway.leave();
    const parts = () => gateway.sent.filter((frame) => frame[0]! >= DATA).map((frame) => frame[1]);
    assert.deepEqual(parts(), [0, 1, 2]);
    gateway.leave(false);
    assert.deepEqual(parts(), [0, 1, 2]);
    gateway.wake();
    assert.deepEqual(parts(), [0, 1, 2, 1]);
  });

  it("announces the image when it becomes available, and begins with the block that was asked for, however often", () => {
    const gateway = sender(0);
    for (let i = 0; i < 40; i++) {
      gateway.ask();
      gateway.wake();
    }
    assert.deepEqual(gateway.sent, []);
    gateway.apply(extendBlocks(gateway.state, IMAGE.imageBytes));
    for (let i = 0; i < 3; i++) gateway.leave();
    assert.deepEqual(typesOf(gateway.sent), [ANNOUNCE, ANNOUNCE, ANNOUNCE, DATA, DATA]);
    assert.deepEqual([...gateway.sent[3]!.subarray(1, 3)], [0, 0]);
  });

  it("takes other machines' frames and answers for what they are", () => {
    const gateway = sender();
    gateway.ask();
    gateway.wake();
    const before = gateway.state;
    gateway.tell({ type: "frameSent", frame: 7, isAcknowledged: true });
    gateway.tell({ type: "partsCombined", attempt: 1, bytes: new Uint8Array(224) });
    gateway.tell({ type: "partsFailed", attempt: 1, message: "another's" });
    assert.strictEqual(gateway.state, before);
  });

  it("begins for somebody who has asked by other means, once the block is in its flash", () => {
    const gateway = sender(0);
    gateway.apply(wantBlocks(gateway.state, 1, 2));
    gateway.apply(wantBlocks(gateway.state, 0, 2));
    assert.deepEqual(gateway.sent, []);
    gateway.apply(extendBlocks(gateway.state, 16_384));
    assert.deepEqual(typesOf(gateway.sent), [ANNOUNCE, ANNOUNCE]);
    assert.strictEqual(gateway.state.block, 0);
  });

  it("sends a latecomer once more what it has missed, and no block behind that", () => {
    const gateway = sender();
    gateway.apply(wantBlocks(gateway.state, 0, 2));
    assert.strictEqual(gateway.state.lateBlock, undefined);
    gateway.apply(wantBlocks(gateway.state, 1, 2));
    assert.strictEqual(gateway.state.lateBlock, undefined, "it is reached in this pass");
    gateway.apply(wantBlocks(gateway.state, 0, 2));
    assert.deepEqual([gateway.state.lateBlock, gateway.state.lateEnd], [0, 1]);
  });

  it("waits for a block that is not in its flash yet", () => {
    const gateway = sender(10_000);
    gateway.ask();
    gateway.wake();
    assert.deepEqual(gateway.sent, []);
    gateway.apply(extendBlocks(gateway.state, 16_384));
    assert.strictEqual(gateway.sent.length, 2);
  });

  it("stops when its flash cannot be read", () => {
    const gateway = sender();
    gateway.ask();
    gateway.wake();
    gateway.tell({ type: "partsFailed", attempt: -9, message: "broken" });
    assert.deepEqual(gateway.others.at(-1), {
      type: "raise",
      event: { type: "blocksFailed", attempt: -9, message: "broken" },
    });
    assert.strictEqual(gateway.state.phase, "idle");
  });

  it("serves another image in another session", () => {
    const state = serveBlocks(IMAGE, 0, 0.99);
    assert.strictEqual(state.session, 7);
    assert.strictEqual(serveOther(state, { ...IMAGE, attempt: -10 }, 0).session, 0);
  });
});
