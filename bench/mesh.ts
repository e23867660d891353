// What it takes to bring an image to many devices by radio: frames in the air for each part of it, of all kinds, in virtual air with
// independent loss (test/firmware/core/radio/air.ts). The references are drawn from the same loss: devices that request each part
// themselves, and a broadcast of every part that anyone lacks, without counting who tells what.
//
//   npm run bench -- mesh [--json] [--seeds N] [--bytes N] [--nodes N] [--loss P]

import { parseArgs } from "node:util";
import { PART_BYTES } from "../firmware/core/radio/block-code.js";
import { blockCountOf, blockLength, DATA, PARITY, STATUS } from "../firmware/core/radio/block-frames.js";
import { randomStream } from "../host-sim/world/random.js";
import { BlockWorld } from "../test/firmware/core/radio/block-world.js";

interface Figures {
  readonly nodes: number;
  readonly loss: number;
  readonly seed: number;
  readonly isComplete: boolean;
  /** Frames for each part of the image: all, and those of each kind. */
  readonly frames: number;
  readonly data: number;
  readonly parities: number;
  readonly statuses: number;
  /** Virtual time. */
  readonly seconds: number;
  readonly oneByOne: number;
  readonly bitmapBroadcast: number;
}

const BAR = 1.6;
const LIMIT_MS = 24 * 3_600_000;
const REFERENCE_PARTS = 2_000;

const { values } = parseArgs({
  args: process.argv.slice(3),
  options: {
    json: { type: "boolean", default: false },
    seeds: { type: "string", default: "1" },
    bytes: { type: "string", default: String(2 ** 20) },
    nodes: { type: "string" },
    loss: { type: "string" },
  },
});

const nodeCounts = values.nodes ? [Number(values.nodes)] : [1, 5, 20, 50];
const losses = values.loss ? [Number(values.loss)] : [0, 0.05, 0.2, 0.4];
const imageBytes = Number(values.bytes);
const all: Figures[] = [];
for (let seed = 1; seed <= Number(values.seeds); seed++)
  for (const loss of losses)
    for (const nodes of nodeCounts) {
      const figures = measure(nodes, loss, seed);
      all.push(figures);
      if (!values.json) console.log(line(figures));
    }
if (values.json) console.log(JSON.stringify({ imageBytes, bar: BAR, runs: all }));

function measure(nodes: number, loss: number, seed: number): Figures {
  const world = new BlockWorld({ seed, loss, imageBytes, nodeCount: nodes });
  world.beginAll();
  const isComplete = world.run(LIMIT_MS);
  const partCount = partsOf(imageBytes);
  const { counts, frameCount, nowMs } = world.air;
  const perPart = (...types: number[]) =>
    types.reduce((sum, type) => sum + (counts.get(type) ?? 0), 0) / partCount;
  return {
    nodes,
    loss,
    seed,
    isComplete,
    frames: frameCount / partCount,
    data: perPart(...Array.from({ length: 8 }, (_, session) => DATA + session)),
    parities: perPart(PARITY),
    statuses: perPart(STATUS),
    seconds: nowMs / 1000,
    ...references(nodes, loss, seed),
  };
}

function partsOf(bytes: number): number {
  let count = 0;
  for (let block = 0; block < blockCountOf(bytes); block++)
    count += Math.ceil(blockLength(bytes, block) / PART_BYTES);
  return count;
}

function references(nodes: number, loss: number, seed: number) {
  const random = randomStream(`reference/${seed}`);
  const isLost = () => random() < loss;
  let oneByOne = 0;
  let bitmapBroadcast = 0;
  for (let part = 0; part < REFERENCE_PARTS; part++) {
    let broadcastCount = 1;
    for (let node = 0; node < nodes; node++) {
      for (let isHere = false; !isHere; ) {
        oneByOne += 1;
        if (isLost()) continue;
        oneByOne += 1;
        isHere = !isLost();
      }
      let count = 1;
      while (isLost()) count += 1;
      broadcastCount = Math.max(broadcastCount, count);
    }
    bitmapBroadcast += broadcastCount;
  }
  return { oneByOne: oneByOne / REFERENCE_PARTS, bitmapBroadcast: bitmapBroadcast / REFERENCE_PARTS };
}

function line(figures: Figures): string {
  const { nodes, loss, seed, isComplete, frames, data, parities, statuses, seconds } = figures;
  return [
    `${String(nodes).padStart(2)} nodes, ${String(loss * 100).padStart(2)} % loss, seed ${seed}:`,
    `${frames.toFixed(3)} frames a part`,
    `(data ${data.toFixed(3)}, parities ${parities.toFixed(3)}, statuses ${statuses.toFixed(3)})`,
    `in ${seconds.toFixed(0)} s;`,
    `one by one ${figures.oneByOne.toFixed(1)}, bitmap broadcast ${figures.bitmapBroadcast.toFixed(2)}`,
    ...(isComplete ? [] : ["NOT COMPLETE"]),
    ...(nodes === 50 && loss === 0.2 ? [frames <= BAR ? `(bar: ${BAR})` : `ABOVE THE BAR OF ${BAR}`] : []),
  ].join(" ");
}
