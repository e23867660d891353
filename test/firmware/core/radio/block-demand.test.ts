import { assert } from "chai";
import {
  type Asker,
  DEAF_PAUSE_MS,
  furthestBehind,
  isAlone,
  isIgnored,
  MAX_ASKERS,
  MAX_VAIN,
  nextExpected,
  noteAsker,
  noteDemand,
  paritiesFor,
} from "../../../../firmware/core/radio/block-demand.js";
import type { BlockStatus } from "../../../../firmware/core/radio/block-frames.js";

/** A device that lacks these parts. */
function status(block: number, lacking: readonly number[], room = 31): BlockStatus {
  const settled = new Uint8Array(10).fill(0xff);
  for (const part of lacking) settled[part >> 3]! ^= 1 << (part & 7);
  return {
    id: new Uint8Array(8),
    imageBytes: 1e6,
    block,
    endBlock: 62,
    room,
    settled,
    lacking: lacking.length,
  };
}

describe("what devices ask of a sender of blocks", () => {
  it("adds up what several lack, and keeps blocks apart", () => {
    const one = noteDemand([], status(3, [0, 40]), 74);
    const two = noteDemand(one, status(3, [40, 41, 73]), 74);
    const all = noteDemand(two, status(2, [5]), 74);
    assert.deepEqual(two, [{ block: 3, lacking: 3, partsNeeded: 0, missing: [1, 0b11 << 8, 1 << 9] }]);
    assert.strictEqual(furthestBehind(all)?.block, 2);
    assert.strictEqual(furthestBehind([]), undefined);
  });

  it("knows when a device cannot keep as many parities as it would need", () => {
    const parts = Array.from({ length: 40 }, (_, i) => i);
    assert.strictEqual(noteDemand([], status(0, parts, 10), 74)[0]?.partsNeeded, 30);
  });

  it("tells one device from several", () => {
    const one = noteAsker([], "a", status(0, [1]), 0, 0, false);
    assert.isTrue(isAlone(one, 0));
    const two = noteAsker(one, "b", status(0, [1]), 1_000, 10, true);
    assert.isFalse(isAlone(two, 1_000));
    assert.isTrue(isAlone(two, 20_500), "the first has not been heard for 20 s");
  });

  it("keeps a bounded table, of those heard last", () => {
    let askers: readonly Asker[] = [];
    for (let i = 0; i < 50; i++) askers = noteAsker(askers, `${i}`, status(0, [1]), i, i, true);
    assert.deepEqual(
      askers.map(({ address }) => address),
      ["42", "43", "44", "45", "46", "47", "48", "49"],
    );
    assert.strictEqual(askers.length, MAX_ASKERS);
  });

  it("ignores a device that makes no progress with many frames, and hears it again after a while", () => {
    const ask = (askers: readonly Asker[], at: number, frames: number, lacking = [1, 2]) =>
      noteAsker(askers, "a", status(5, lacking), at, frames, true);
    const first = ask([], 0, 1_000);
    const patient = ask(first, 1_000, 1_000 + MAX_VAIN - 1);
    assert.isFalse(isIgnored(patient, "a"));
    const deaf = ask(patient, 2_000, 1_000 + MAX_VAIN);
    assert.isTrue(isIgnored(deaf, "a"));
    assert.isFalse(isIgnored(deaf, "b"));
    assert.isTrue(isIgnored(ask(deaf, 2_000 + DEAF_PAUSE_MS - 1, 9_000), "a"));
    const again = ask(deaf, 2_000 + DEAF_PAUSE_MS, 9_000);
    assert.isFalse(isIgnored(again, "a"));
    assert.isTrue(isIgnored(ask(again, 40_000, 9_001), "a"), "once more in vain");
    assert.isFalse(isIgnored(ask(deaf, 3_000, 9_000, [1]), "a"), "it has got a part meanwhile");
  });

  it("does not blame a device for frames that were for others", () => {
    let askers = noteAsker([], "a", status(5, [1]), 0, 0, false);
    for (let i = 1; i < 10; i++) askers = noteAsker(askers, "a", status(5, [1]), i, 1_000 * i, false);
    assert.isFalse(isIgnored(askers, "a"));
  });

  it("sends more parities than are lacking, and never without bound", () => {
    for (let lacking = 1; lacking <= 74; lacking++) {
      assert.ok(paritiesFor(lacking) > lacking || lacking > 60);
      assert.ok(paritiesFor(lacking) <= 64);
    }
  });

  it("learns how many parities a block needs, and forgets it when none are needed", () => {
    let expected = 0;
    for (let block = 0; block < 20; block++) expected = nextExpected(expected, 30, true);
    assert.ok(expected > 28 && expected <= 30);
    for (let block = 0; block < 30; block++) expected = nextExpected(expected, Math.floor(expected), false);
    assert.strictEqual(expected, 0);
  });
});
