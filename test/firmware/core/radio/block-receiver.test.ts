import { assert } from "chai";
import type { Stamped } from "../../../../firmware/core/event.js";
import { announceFrame, dataFrame, parityFrame } from "../../../../firmware/core/radio/block-frames.js";
import {
  type BlockOrder,
  DEAF_MS,
  type Receiving,
  receiveBlocks,
  receiverStep,
} from "../../../../firmware/core/radio/block-receiver.js";
import type { BlockEffect, BlockEvent } from "../../../../firmware/core/radio/block-vocabulary.js";

const GATEWAY = "02:00:00:00:00:00";
const ID = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8]);
/** One block of two parts. */
const ORDER = { attempt: -3, gateway: GATEWAY, id: ID, imageBytes: 300, start: 0, end: 300 };

/** A receiver, what it has asked for, and a way to tell it something. */
function receiver(order: Partial<BlockOrder> = {}) {
  const stamp = { random: 0, freeHeapBytes: 1e5 };
  const [begun, effects] = receiveBlocks({ ...ORDER, ...order }, { at: 0, random: 0 });
  let state: Receiving | undefined = begun;
  return {
    begun: effects,
    get isRunning() {
      return state !== undefined;
    },
    tell(event: BlockEvent, at = 10): readonly BlockEffect[] {
      if (state === undefined) throw new Error("it has stopped");
      const [next, asked] = receiverStep(state, { ...event, ...stamp, at } as Stamped<BlockEvent>);
      state = next;
      return asked;
    },
    hear(bytes: Uint8Array, from = GATEWAY): readonly BlockEffect[] {
      return this.tell({ type: "frameReceived", from, isBroadcast: true, bytes, rssi: -50 });
    },
  };
}

const announcement = (change: object = {}) =>
  announceFrame({ session: 2, id: ID, imageBytes: 300, block: 0, waitSeconds: 0, ...change });
const part = (index: number, session = 2) =>
  dataFrame({
    session,
    block: 0,
    part: index,
    bytes: new Uint8Array(index === 0 ? 224 : 76).fill(index + 1),
  });
const typesOf = (effects: readonly BlockEffect[]) =>
  effects.map((effect) => (effect.type === "raise" ? effect.event.type : effect.type));
const written = (offset: number, length: number, attempt = -3) =>
  ({ type: "slotWritten", attempt, offset, length }) as const;

describe("a receiver of blocks", () => {
  it("erases the sectors of its first block before anything is written", () => {
    const whole = receiver({ imageBytes: 40_000, start: 16_384, end: 40_000 });
    const erased = whole.begun.flatMap((effect) => (effect.type === "eraseSlot" ? [effect.offset] : []));
    assert.deepEqual(erased, [16_384, 20_480, 24_576, 28_672]);
    assert.deepEqual(typesOf(receiver().begun), ["eraseSlot", "setTimer"]);
  });

  it("does not begin what is nothing, or more than frames can number", () => {
    assert.deepEqual(receiver({ start: 300 }).begun, []);
    assert.isFalse(receiver({ start: 300 }).isRunning);
    assert.isFalse(receiver({ imageBytes: 2e7, end: 2e7 }).isRunning);
  });

  it("tells that a block is stored when the flash has confirmed all of it, and not before", () => {
    const device = receiver();
    device.hear(announcement());
    assert.deepEqual(typesOf(device.hear(part(1))), ["writeSlot"]);
    assert.deepEqual(typesOf(device.hear(part(0))), ["writeSlot"]);
    assert.deepEqual(device.tell(written(224, 76)), []);
    assert.deepEqual(device.tell(written(0, 224, 5)), [], "somebody else's");
    assert.deepEqual(typesOf(device.tell(written(0, 224))), ["clearTimer", "blockStored", "blocksStored"]);
    assert.isFalse(device.isRunning);
  });

  it("writes a part once, where it belongs", () => {
    const device = receiver();
    device.hear(announcement());
    const [write] = device.hear(part(1));
    assert.deepEqual(write, {
      type: "writeSlot",
      attempt: -3,
      offset: 224,
      bytes: new Uint8Array(76).fill(2),
    });
    assert.deepEqual(device.hear(part(1)), []);
  });

  it("takes nothing from anybody but its gateway", () => {
    const device = receiver();
    device.hear(announcement(), "02:66:66:66:66:66");
    assert.deepEqual(device.hear(part(0)), [], "a stranger has announced it");
    device.hear(announcement());
    assert.deepEqual(device.hear(part(0), "02:66:66:66:66:66"), []);
    assert.deepEqual(typesOf(device.hear(part(0))), ["writeSlot"]);
  });

  it("takes no part before it knows the session, of another session, or once the session is another image's", () => {
    const device = receiver();
    assert.deepEqual(device.hear(part(0)), []);
    device.hear(announcement());
    assert.deepEqual(device.hear(part(0, 3)), []);
    device.hear(announcement({ id: new Uint8Array(8) }));
    assert.deepEqual(device.hear(part(0)), []);
    device.hear(parityFrame({ session: 4, id: ID, block: 0, seed: 1, bytes: new Uint8Array(224) }));
    assert.strictEqual(typesOf(device.hear(part(0, 4)))[0], "writeSlot", "a parity tells the session, too");
  });

  /** Blocks 0 and 1 are whole, and block 2 has one part. */
  const IMAGE = { imageBytes: 2 * 16_384 + 100, end: 2 * 16_384 + 100 };
  const announced = announcement({ imageBytes: IMAGE.imageBytes });
  const partOf = (block: number, index: number) => {
    const bytes = new Uint8Array(block === 2 ? 100 : index === 73 ? 32 : 224).fill(index);
    return dataFrame({ session: 2, block, part: index, bytes });
  };
  const writesOf = (effects: readonly BlockEffect[]) =>
    effects.flatMap((effect) => (effect.type === "writeSlot" ? [effect.offset] : []));
  const erasesOf = (effects: readonly BlockEffect[]) =>
    effects.flatMap((effect) => (effect.type === "eraseSlot" ? [effect.offset] : []));

  it("begins with the block that is about to be sent, and takes the others when they come round", () => {
    const device = receiver(IMAGE);
    device.hear(announced);
    const effects = device.hear(partOf(2, 0));
    assert.deepEqual(erasesOf(effects), [32_768]);
    assert.deepEqual(writesOf(effects), [32_768]);
    const stored = device.tell(written(32_768, 100));
    assert.deepEqual(typesOf(stored), ["eraseSlot", "eraseSlot", "eraseSlot", "eraseSlot", "blockStored"]);
    assert.deepEqual(erasesOf(stored), [0, 4_096, 8_192, 12_288], "the first block that it has missed");
    assert.deepEqual(writesOf(device.hear(partOf(2, 0))), [], "it has that one");
    assert.deepEqual(writesOf(device.hear(partOf(0, 5))), [5 * 224]);
  });

  it("does not begin in the middle of a block, and stays with one that it has begun", () => {
    const late = receiver({ ...IMAGE, imageBytes: 5 * 16_384, end: 5 * 16_384 });
    late.hear(announcement({ imageBytes: 5 * 16_384 }));
    assert.deepEqual(writesOf(late.hear(partOf(3, 9))), []);
    assert.deepEqual(writesOf(late.hear(partOf(3, 8))), [3 * 16_384 + 8 * 224]);
    assert.deepEqual(writesOf(late.hear(partOf(1, 0))), []);
  });

  it("leaves a block that its gateway will not send again soon, and wants it still", () => {
    const imageBytes = 8 * 16_384;
    const device = receiver({ imageBytes, end: imageBytes });
    device.hear(announcement({ imageBytes }));
    device.hear(partOf(0, 0));
    assert.deepEqual(writesOf(device.hear(partOf(4, 0))), [], "it may be caught up with");
    assert.deepEqual(writesOf(device.hear(partOf(5, 0))), [5 * 16_384]);
    assert.deepEqual(erasesOf(device.hear(partOf(6, 0))), [6 * 16_384], "and ahead of it the next one");
  });

  it("fetches no block that is stored already", () => {
    const device = receiver({ ...IMAGE, stored: Int32Array.of(0b001) });
    assert.deepEqual(erasesOf(device.begun), [16_384, 20_480, 24_576, 28_672]);
    device.hear(announced);
    assert.deepEqual(writesOf(device.hear(partOf(0, 0))), []);
    assert.deepEqual(receiver({ ...IMAGE, stored: Int32Array.of(0b111) }).begun, []);
  });

  it("says nothing for as long as its gateway has told that nothing comes", () => {
    const device = receiver();
    const waits = (effects: readonly BlockEffect[]) =>
      effects.flatMap((effect) => (effect.type === "setTimer" ? [effect.delayMs] : []));
    device.hear(announcement({ waitSeconds: 11 }));
    const woken = device.tell({ type: "timerFired", timer: "block.status" }, 700);
    assert.deepEqual(typesOf(woken), ["setTimer"]);
    assert.isAbove(waits(woken)[0]!, 10_000);
    device.hear(part(0));
    assert.isBelow(waits(device.tell({ type: "timerFired", timer: "block.status" }, 800))[0]!, 1_000);
  });

  it("repairs what is missing, and writes it where it belongs", () => {
    const device = receiver();
    device.hear(announcement());
    device.hear(part(0));
    device.tell(written(0, 224));
    // the subset of 2 parts is never empty; of seed 1 it has both
    const repairing = device.hear(
      parityFrame({ session: 2, id: ID, block: 0, seed: 1, bytes: new Uint8Array(224).fill(3) }),
    );
    const [combine] = repairing;
    assert.ok(combine?.type === "combineParts" && combine.from === "slot" && combine.length === 300);
    assert.strictEqual(combine.combination, 1);
    assert.deepEqual(device.hear(part(1)), [], "it is on its way to the flash already");
    const result = { type: "partsCombined", bytes: new Uint8Array(224).fill(2) } as const;
    assert.deepEqual(device.tell({ ...result, attempt: 9 }), []);
    const [write] = device.tell({ ...result, attempt: -3 });
    assert.deepEqual(write, {
      type: "writeSlot",
      attempt: -3,
      offset: 224,
      bytes: new Uint8Array(76).fill(2),
    });
    assert.deepEqual(device.tell({ ...result, attempt: -3 }), [], "nobody has asked");
    assert.include(typesOf(device.tell(written(224, 76))), "blockStored");
  });

  it("stops when its flash fails, and when it hears nothing of its gateway for a minute", () => {
    for (const type of ["slotFailed", "partsFailed"] as const) {
      const device = receiver();
      assert.deepEqual(device.tell({ type, attempt: 8, message: "another's" }), []);
      assert.deepEqual(typesOf(device.tell({ type, attempt: -3, message: "broken" })), [
        "clearTimer",
        "blocksFailed",
      ]);
      assert.isFalse(device.isRunning);
    }
    const deaf = receiver();
    const asked = deaf.tell({ type: "timerFired", timer: "block.status" }, DEAF_MS);
    assert.deepEqual(typesOf(asked), ["clearTimer", "blocksFailed"]);
  });
});
