import { assert } from "chai";
import {
  firstTurn,
  gatewaySends,
  slotOf,
  type Turn,
  takeTurn,
} from "../../../../firmware/core/radio/block-status.js";
import {
  FRESH_MS,
  LISTEN_MS,
  REPEAT_MAXIMUM_MS,
  SILENCE_MS,
  STATUS_SLOT_COUNT,
  STATUS_SLOT_MS,
} from "../../../../firmware/core/radio/block-vocabulary.js";

/** Lets a device's timer fire until it speaks; returns when. */
function speaks(
  turn: Turn,
  lacking: number,
  isFresh = false,
  random = 0,
): { readonly at: number; readonly turn: Turn } {
  let now = turn;
  for (let wakes = 0; wakes < 20; wakes++) {
    const taken = takeTurn(now, lacking, isFresh, { at: now.wakeAt, random });
    if (taken.isSpeaking) return { at: now.wakeAt, turn: taken.turn };
    assert.ok(taken.wakeMs > 0 || taken.turn.speakAt !== undefined, "the timer goes on");
    now = taken.turn;
  }
  throw new Error("it never speaks");
}

const heardAt = (at: number): Turn => gatewaySends(firstTurn(0, 0)[0], at)[0];

describe("when a device says what it lacks", () => {
  it("waits for silence, and speaks the earlier the more it lacks", () => {
    const times = [40, 20, 10, 3, 1].map((lacking) => speaks(heardAt(1_000), lacking).at);
    assert.strictEqual(times[0], 1_000 + SILENCE_MS);
    for (let i = 1; i < times.length; i++) assert.ok(times[i]! > times[i - 1]!);
    assert.strictEqual(times[4], 1_000 + SILENCE_MS + (STATUS_SLOT_COUNT - 1) * STATUS_SLOT_MS);
  });

  it("has a slot for everything that can be lacking, the last one for a single part", () => {
    for (let lacking = 1; lacking <= 74; lacking++) {
      assert.ok(slotOf(lacking) >= 0 && slotOf(lacking) < STATUS_SLOT_COUNT);
      assert.ok(slotOf(lacking) <= slotOf(Math.max(1, lacking - 1)));
    }
    assert.strictEqual(slotOf(1), STATUS_SLOT_COUNT - 1);
  });

  it("speaks twice at least while the gateway listens", () => {
    const first = speaks(heardAt(0), 1, false, 0.999);
    const second = speaks(first.turn, 1, false, 0.999);
    assert.ok(second.at < LISTEN_MS, `${second.at} ms`);
  });

  it("lets the gateway begin with its block by itself", () => {
    assert.ok(speaks(heardAt(0), 74, true).at >= FRESH_MS);
    assert.ok(FRESH_MS > LISTEN_MS);
  });

  it("waits again when the gateway goes on", () => {
    const [turn] = gatewaySends(heardAt(1_000), 1_040);
    assert.ok(speaks(turn, 40).at >= 1_040 + SILENCE_MS);
  });

  it("wakes in time although it meant to sleep for long", () => {
    let { turn } = speaks(heardAt(0), 5);
    for (let i = 0; i < 6; i++) turn = speaks(turn, 5).turn;
    assert.ok(turn.wakeAt > 3_000);
    const [woken, wakeMs] = gatewaySends(turn, 2_000);
    assert.strictEqual(wakeMs, SILENCE_MS);
    assert.strictEqual(woken.wakeAt, 2_000 + SILENCE_MS);
  });

  it("keeps quiet once if another has said as much, and speaks if nothing follows", () => {
    const said = { ...heardAt(1_000), isSaid: true };
    const alone = speaks(heardAt(1_000), 40).at;
    const { at } = speaks(said, 40);
    assert.ok(at > alone && at < alone + 200, `${at}`);
  });

  it("repeats ever more rarely, up to a bound", () => {
    let { turn, at } = speaks(heardAt(0), 5);
    const pauses: number[] = [];
    for (let i = 0; i < 12; i++) {
      const next = speaks(turn, 5, false, 0.5);
      pauses.push(next.at - at);
      ({ turn, at } = next);
    }
    assert.ok(pauses[1]! < pauses[4]!);
    assert.strictEqual(Math.max(...pauses), REPEAT_MAXIMUM_MS);
  });
});
