// A pair that has just met, and the journey that is to be disturbed: one update of its system, recorded once without any fault.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PEER_KEY } from "../../../firmware/core/pair/peer.js";
import { Flash, type FlashOperation } from "../../hardware/flash/flash.js";
import { flashFactory } from "../../hardware/serial-flasher.js";
import { BROADCAST } from "../../network/espnow-air.js";
import { randomStream } from "../../world/random.js";
import { type CutPoint, cutPointsOf, type Place } from "../cuts.js";
import { otadataOf, placeOf } from "../places.js";
import type { JourneySize } from "./faults.js";
import { type Flashes, PairHouse } from "./house.js";
import { APPS, type PairApp, type PairImages } from "./images.js";
import { runPair } from "./run.js";

export interface PairRecording extends JourneySize {
  /** Of a pair that knows each other. */
  readonly start: Flashes;
  /** Of each device, in order: what can be cut. */
  readonly operations: Readonly<Record<PairApp, readonly RecordedOperation[]>>;
  /** In the air, in order: whether each is for one device. */
  readonly frames: readonly { readonly isForOne: boolean }[];
}

export interface RecordedOperation extends FlashOperation {
  readonly place: Place;
}

const FLASH_BYTES = 8 * 1024 * 1024;
const LIMIT_MS = 10 * 60_000;
const TABLES: Readonly<Record<PairApp, string>> = Object.freeze({
  receiver: "8mb-gateway",
  transmitter: "8mb",
});

/** A pair that fails although nothing disturbs it: the firmware itself is broken. */
export class PairJourneyError extends Error {
  override readonly name = "PairJourneyError";
}

/** @throws PairJourneyError */
export async function recordPair(
  images: PairImages,
  onTrace?: (line: string) => void,
): Promise<PairRecording> {
  const start = await meet(images, onTrace);
  const operations: Record<PairApp, RecordedOperation[]> = { receiver: [], transmitter: [] };
  const frames: { readonly isForOne: boolean }[] = [];
  let ms = 0;
  const record = (house: PairHouse): void => {
    house.onOperation = (app, _, operation, when) => {
      if (when === "after") return;
      const place = placeOf(operation, otadataOf(house.device(app).partitions));
      operations[app].push({ ...operation, bytes: operation.bytes.slice(), place });
    };
    house.desk.network.espNow.observers.add(({ to }, number) => {
      frames[number] = { isForOne: to !== BROADCAST };
      ms = house.desk.world.nowMs;
    });
  };
  const ordeal = { id: "journey", system: images.update, faults: [] };
  const { problem, ending } = await runPair({
    images,
    start,
    ordeal,
    isFollowed: false,
    onTrace,
    onHouse: record,
  });
  if (problem !== undefined || ending !== "new")
    throw new PairJourneyError(problem ?? `it ends with the ${ending}`);
  const operationCounts = {
    receiver: operations.receiver.length,
    transmitter: operations.transmitter.length,
  };
  return { start, operations, frames, operationCounts, ms };
}

/** The receiver is set up through its portal, and the two find each other. @returns their flashes */
async function meet(images: PairImages, onTrace?: (line: string) => void): Promise<Flashes> {
  const boxed = (app: PairApp): Uint8Array => {
    const flash = new Flash(FLASH_BYTES);
    const csv = fileURLToPath(new URL(`../../../partitions/${TABLES[app]}.csv`, import.meta.url));
    flashFactory(flash, readFileSync(csv, "utf8"), images.factory.releases[app].image);
    return flash.bytes;
  };
  const start = { receiver: boxed("receiver"), transmitter: boxed("transmitter") };
  const house = new PairHouse({ images, start, isNew: true, onTrace });
  for (const app of APPS) house.device(app).powerOn();
  const haveMet = (): boolean =>
    APPS.every(
      (app) =>
        house.stored(app, PEER_KEY) !== undefined &&
        house.server.checks.some(({ check }) => check.device_type === app),
    );
  if (!(await house.desk.world.runUntil(haveMet, { limitMs: LIMIT_MS })))
    throw new PairJourneyError("the two do not find each other");
  await house.desk.world.runFor(MET_MS);
  house.close();
  const [receiver, transmitter] = house.desk.devices.map(({ flash }) => flash.bytes);
  return { receiver: receiver!, transmitter: transmitter! };
}

/** The setup network is closed by then. */
const MET_MS = 60_000;

/** Ids of every single fault: each operation of each flash cut, each frame with each fate. */
export function* singleFaults(
  { operations, frames }: PairRecording,
  { seed, isFull }: { readonly seed: number; readonly isFull: boolean },
): Iterable<string> {
  for (const app of APPS)
    for (const [index, operation] of operations[app].entries()) {
      const name = `${app}:${index}`;
      const all = [...cutPointsOf(operation, operation.place)];
      const points = isFull && operation.place !== "slot" ? all : thinned(all, `${seed}/${name}`);
      for (const point of points) yield `${name}:${point}`;
    }
  for (const [number, { isForOne }] of frames.entries()) {
    yield `frame:${number}:lost`;
    yield `frame:${number}:twice`;
    yield `frame:${number}:late`;
    if (isForOne) yield `frame:${number}:unacknowledged`;
  }
}

/** Of the points inside an operation two, of those of an otadata entry's state all, and the end. */
const TORN_COUNT = 2;

function thinned(points: readonly CutPoint[], seed: string): readonly CutPoint[] {
  const random = randomStream(seed);
  const inside = points.filter((point) => /^(byte|page|erase):/.test(point));
  const torn = Array.from(
    { length: Math.min(TORN_COUNT, inside.length) },
    () => inside[Math.floor(random() * inside.length)]!,
  );
  const others = points.filter((point) => !inside.includes(point) && point !== "before");
  return [...new Set([...torn, ...others])];
}
