import { expect } from "chai";
import { Bench } from "../../host-sim/sweep/bench.js";
import { cutPointsOf } from "../../host-sim/sweep/cuts.js";
import type { History } from "../../host-sim/sweep/history.js";
import { isInSlot, placeOf } from "../../host-sim/sweep/places.js";
import { JOURNEYS } from "../../host-sim/sweep/recording.js";
import { prepareBench, sweep } from "../../host-sim/sweep/sweep.js";
import { randomStream } from "../../host-sim/world/random.js";

const SEED = 1;
const OTADATA_SECTORS: readonly number[] = [0xe000, 0xf000];

/**
 * What a device did to its flash, one line per operation. The label of an otadata entry is copied and never read. What is written to a slot comes in
 * pieces as segments arrive: those that follow each other are one.
 */
function operationsOf({ entries }: History): readonly string[] {
  const lines: string[] = [];
  let end = -1;
  for (const entry of entries) {
    if (entry.kind === "erase") lines.push(`erase ${entry.offset}`);
    if (entry.kind !== "write") continue;
    const { offset } = entry;
    const bytes = Buffer.from(entry.bytes);
    if (OTADATA_SECTORS.includes(offset)) bytes.fill(0, 4, 24);
    const goesOn = isInSlot({ ...entry, length: bytes.length }) && offset === end;
    if (goesOn) lines.push(lines.pop() + bytes.toString("hex"));
    else lines.push(`write ${offset} ${bytes.toString("hex")}`);
    end = offset + bytes.length;
  }
  return lines;
}

describe("the sweep", function () {
  this.timeout(900_000);

  it("survives a cut at every byte of every journey, and pairs of cuts", async () => {
    const result = await sweep({ seed: SEED, pairsEach: 1 });
    expect(result.failed).deep.equal([]);
    expect(result.imageBytes).above(64 * 1024);
    // every byte of the image, in each of two updates, and everything else
    expect(result.cuts).above(2 * result.imageBytes);
    expect(result.pairs).above(400);
    expect(result.survived).equal(result.cuts + result.pairs);
    expect(result.followed).within(300, 8_000);
  });

  it("cuts before, after, at every byte and page of a write, and at 16 points of an erase in 3 patterns", () => {
    const bytes = new Uint8Array(600);
    const write = [...cutPointsOf({ kind: "write", offset: 4096 + 200, length: 600, bytes }, "slot")];
    expect(write.filter((point) => point.startsWith("byte:"))).length(600);
    expect(write.filter((point) => point.startsWith("page:"))).deep.equal([
      "page:0",
      "page:56",
      "page:312",
      "page:568",
    ]);
    expect([write[0], ...write.slice(-2)]).deep.equal(["before", "unstable", "after"]);
    const erasing = { kind: "erase", offset: 0, length: 4096, bytes: new Uint8Array() } as const;
    const erase = [...cutPointsOf(erasing, "slot")];
    expect(erase).length(2 + 16 * 3);
    expect(new Set(erase).size).equal(erase.length);
    expect([...cutPointsOf(erasing, "otadata")].filter((point) => point.startsWith("state:"))).length(6);
  });

  it("starts a trial that a power cut prevented, whichever bit of the state is torn", async () => {
    const options = await prepareBench({ seed: SEED });
    const bench = new Bench(options);
    const bits = Array.from({ length: 32 }, (_, bit) => 2 ** bit);
    for (const name of ["failing", "failing-4mb"] as const) {
      const recording = options.recordings[JOURNEYS.indexOf(name)]!;
      let onceUntried = 0;
      for (const [index, operation] of recording.operations.entries()) {
        if (placeOf(operation, recording.otadata) !== "otadata") continue;
        for (const torn of [...bits, 0xffffffff]) {
          const id = `${name}:${index}:state:${torn}`;
          const lines: string[] = [];
          const { problem } = await bench.replay(id, (line) => lines.push(line));
          expect(problem, id).equal(undefined);
          if (lines.some((line) => line.includes("was never tried"))) onceUntried += 1;
        }
      }
      expect(onceUntried, name).above(100);
    }
  });

  it("proves the same future only for devices that have it: simulated further, they behave the same", async () => {
    const options = await prepareBench({ seed: SEED });
    const bench = new Bench(options);
    const random = randomStream("sample");
    const journey = JOURNEYS.indexOf("later");
    const { operations } = options.recordings[journey]!;
    let comparedCount = 0;
    for (const [index, operation] of operations.entries()) {
      if (isInSlot(operation) && index % 8 !== 0) continue;
      const survived: [string, History][] = [];
      await bench.sweepOperation(journey, index, (id, history) => survived.push([id, history]));
      for (let sample = 0; sample < 3; sample++) {
        const [id, history] = survived[Math.floor(random() * survived.length)]!;
        const replayed = await bench.replay(id, () => {});
        expect(replayed.problem, id).equal(undefined);
        expect(operationsOf(replayed.history), id).deep.equal(operationsOf(history));
        comparedCount++;
      }
    }
    expect(comparedCount).above(80);
  });
});
