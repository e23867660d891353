import { expect } from "chai";
import { ordealOf } from "../../host-sim/sweep/pair/faults.js";
import { buildPairImages, type PairImages } from "../../host-sim/sweep/pair/images.js";
import { KINDS, sweepPair } from "../../host-sim/sweep/pair/sweep.js";

const SIZE = { operationCounts: { receiver: 100, transmitter: 100 }, ms: 150_000, seed: 1 };

describe("the sweep of a pair", function () {
  this.timeout(600_000);

  it("survives a sample of cuts, frames, systems that do not work and seeds; `npm run sweep -- --pair` does all", async () => {
    const { tallies, failed, followed, operations, frames } = await sweepPair({
      seed: 1,
      seedCount: 3,
      step: 250,
    });
    expect(failed).deep.equal([]);
    for (const kind of KINDS) expect(tallies[kind].runs, kind).above(1);
    // none of the three systems that do not work stays
    expect(tallies.system).deep.equal({ runs: 3, isNew: 0, isOld: 3 });
    // one frame, or one cut, does not keep a system from both
    expect(tallies.frame.isNew).equal(tallies.frame.runs);
    expect(followed).within(3, 20);
    // each chunk of two images is erased and written, stored in the cache, and more is noted
    expect(operations.receiver).above(100);
    expect(operations.transmitter).above(100);
    expect(frames).above(200);
  });

  describe("names what it does", () => {
    let images: PairImages;
    before(async () => {
      images = await buildPairImages(1);
    });

    it("so that it can be done again", () => {
      const cut = ordealOf("transmitter:57:byte:12", images, SIZE);
      expect(cut.system).equal(images.update);
      expect(cut.faults).deep.equal([
        { type: "cut", app: "transmitter", operation: 57, point: "byte:12", offMs: 3000 },
      ]);
      expect(ordealOf("frame:31:late", images, SIZE).faults).deep.equal([
        { type: "frame", number: 31, fate: "late" },
      ]);
      expect(ordealOf("system:misfit", images, SIZE)).deep.include({ system: images.misfit, faults: [] });
      expect(ordealOf("seed:7", images, SIZE)).deep.equal(ordealOf("seed:7", images, SIZE));
      expect(ordealOf("seed:7", images, SIZE).faults).not.deep.equal(
        ordealOf("seed:7", images, { ...SIZE, seed: 2 }).faults,
      );
    });

    it("and refuses a name that is none", () => {
      for (const id of [
        "",
        "gateway:3:after",
        "receiver",
        "receiver:-1:after",
        "frame:3:eaten",
        "system:other",
      ])
        expect(() => ordealOf(id, images, SIZE), id).throw();
    });

    it("and draws every kind of fault, and systems that do not work", () => {
      const ordeals = Array.from({ length: 400 }, (_, number) => ordealOf(`seed:${number}`, images, SIZE));
      const types = new Set(ordeals.flatMap(({ faults }) => faults.map(({ type }) => type)));
      expect([...types].sort()).deep.equal([
        "air",
        "apart",
        "cancel",
        "cut",
        "off",
        "push",
        "router",
        "server",
      ]);
      const broken = ordeals.filter(({ system }) => system !== images.update).length;
      expect(broken).within(90, 180);
      expect(Math.max(...ordeals.map(({ faults }) => faults.length))).equal(5);
    });
  });
});
