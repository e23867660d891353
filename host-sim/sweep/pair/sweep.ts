// Has everything happen to a pair that updates its system: power cut in every operation of either flash, every frame lost, doubled, late or
// unacknowledged, and several faults by seed. Hands the runs out to worker threads and adds up what has come out. Checks nothing itself.

import { availableParallelism } from "node:os";
import { randomStream } from "../../world/random.js";
import { inThreads } from "../threads.js";
import { brokenSystems, ordealOf } from "./faults.js";
import { buildPairImages, type PairImages } from "./images.js";
import { PairJourneyError, type PairRecording, recordPair, singleFaults } from "./recording.js";
import { type PairRun, runPair } from "./run.js";

/** What is disturbed: how ids begin. */
export const KINDS = Object.freeze(["receiver", "transmitter", "frame", "system", "seed"] as const);
export type Kind = (typeof KINDS)[number];

export interface PairSweepOptions {
  readonly seed: number;
  /** Runs with several faults. */
  readonly seedCount: number;
  /** Every point of each operation outside the slots; otherwise some, by seed. */
  readonly isFull?: boolean;
  readonly kinds?: readonly Kind[];
  /** One of so many single faults; default: each. */
  readonly step?: number;
  /** Default: one for each processor. */
  readonly workerCount?: number;
  /** Stop at the first failure. */
  readonly failFast?: boolean;
  readonly onProgress?: (doneCount: number, totalCount: number) => void;
}

export interface Tally {
  runs: number;
  /** Of those that survived: both ran the new version in the end, or both the old one. */
  isNew: number;
  isOld: number;
}

export interface PairSweepResult {
  readonly tallies: Readonly<Record<Kind, Tally>>;
  readonly failed: readonly { readonly id: string; readonly problem: string }[];
  /** Runs after which the next system was published, too. */
  readonly followed: number;
  /** Of the journey without any fault. */
  readonly operations: Readonly<Record<"receiver" | "transmitter", number>>;
  readonly frames: number;
  readonly seconds: number;
}

/** What a run needs. */
export interface PairBench {
  readonly seed: number;
  readonly images: PairImages;
  readonly recording: PairRecording;
}

export interface PairOutcome extends PairRun {
  readonly id: string;
}

/** The share of runs that the next system follows; systems that do not work are always followed by it. */
const FOLLOWED_SHARE = 1 / 8;

export async function preparePairBench(
  seed: number,
  onTrace?: (line: string) => void,
  replace?: Parameters<typeof buildPairImages>[1],
): Promise<PairBench> {
  const images = await buildPairImages(seed, replace);
  return { seed, images, recording: await recordPair(images, onTrace) };
}

export async function runOrdeal(
  { seed, images, recording }: PairBench,
  id: string,
  onTrace?: (line: string) => void,
): Promise<PairOutcome> {
  const ordeal = ordealOf(id, images, { ...recording, seed });
  const isFollowed = kindOf(id) === "system" || randomStream(`${seed}/${id}/followed`)() < FOLLOWED_SHARE;
  const { start } = recording;
  return { id, ...(await runPair({ images, start, ordeal, isFollowed, onTrace })) };
}

/** A journey that fails without any fault is the only failure then, and there are no runs. */
export async function sweepPair(options: PairSweepOptions): Promise<PairSweepResult> {
  const startedMs = performance.now();
  const tally = (): Tally => ({ runs: 0, isNew: 0, isOld: 0 });
  const tallies = { receiver: tally(), transmitter: tally(), frame: tally(), system: tally(), seed: tally() };
  const failed: { id: string; problem: string }[] = [];
  const bench = await preparePairBench(options.seed).catch((error: unknown) => {
    if (error instanceof PairJourneyError) return error;
    throw error;
  });
  let followed = 0;
  const add = ({ id, problem, ending, isFollowed }: PairOutcome): void => {
    const own = tallies[kindOf(id)];
    own.runs += 1;
    followed += Number(isFollowed);
    if (problem !== undefined) failed.push({ id, problem });
    else if (ending === "new") own.isNew += 1;
    else own.isOld += 1;
  };
  if (bench instanceof PairJourneyError) failed.push({ id: "journey", problem: bench.message });
  else {
    const tasks = tasksOf(bench, options);
    let doneCount = 0;
    await inThreads<string, PairOutcome>({
      module: new URL("./worker.ts", import.meta.url),
      data: bench,
      tasks,
      count: options.workerCount ?? availableParallelism(),
      isStopped: () => options.failFast === true && failed.length > 0,
      onOutcome: (outcome) => {
        add(outcome);
        doneCount += 1;
        options.onProgress?.(doneCount, tasks.length);
      },
    });
  }
  const isRecorded = !(bench instanceof PairJourneyError);
  return {
    tallies,
    failed,
    followed,
    operations: isRecorded ? bench.recording.operationCounts : { receiver: 0, transmitter: 0 },
    frames: isRecorded ? bench.recording.frames.length : 0,
    seconds: Math.round(performance.now() - startedMs) / 1000,
  };
}

const kindOf = (id: string): Kind => id.split(":", 1)[0] as Kind;

function tasksOf({ recording, images }: PairBench, options: PairSweepOptions): string[] {
  const { seed, seedCount, isFull = false, kinds = KINDS, step = 1 } = options;
  const single = [...singleFaults(recording, { seed, isFull })].filter((_, index) => index % step === 0);
  const several = Array.from({ length: seedCount }, (_, number) => `seed:${number}`);
  const broken = Object.keys(brokenSystems(images)).map((name) => `system:${name}`);
  return [...broken, ...single, ...several].filter((id) => kinds.includes(kindOf(id)));
}
