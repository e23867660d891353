// Cuts power everywhere: at every operation of every journey (recording.ts), at every point of it (cuts.ts), and again during the
// recovery. Hands the operations out to worker threads and adds up the results. Checks nothing itself.

import { availableParallelism } from "node:os";
import { Bench, type BenchOptions, type Failure, type Outcome } from "./bench.js";
import { buildSweepImages, type Replace } from "./images.js";
import { isInSlot } from "./places.js";
import {
  JOURNEYS,
  JourneyError,
  type JourneyName,
  type JourneyTrace,
  type Recording,
  recordJourneys,
} from "./recording.js";
import { inThreads } from "./threads.js";
import type { Task } from "./worker.js";

export interface SweepOptions {
  readonly seed: number;
  /** Minimum size of the images, bytes. */
  readonly imageBytes?: number;
  readonly journeys?: readonly JourneyName[];
  /** As of the bench; default: none. */
  readonly pairsEach?: number;
  /** Default: one for each processor. 0: the calling thread does it. */
  readonly workerCount?: number;
  /** Of the firmware that is built. */
  readonly replace?: Replace;
  /** Stop at the first failure. */
  readonly failFast?: boolean;
  /** Called with what happens in the journeys themselves, without any cut. */
  readonly onJourneyTrace?: JourneyTrace;
  readonly onProgress?: (doneCount: number, totalCount: number) => void;
}

export interface SweepResult {
  readonly cuts: number;
  readonly pairs: number;
  /** Cuts and pairs after which every check passed. */
  readonly survived: number;
  readonly failed: readonly Failure[];
  /** Devices that were followed to their end; of the others it was proved that theirs is the same. */
  readonly followed: number;
  readonly imageBytes: number;
  readonly seconds: number;
}

/** A journey that fails without any cut is the only failure then, under its name. */
export async function sweep(options: SweepOptions): Promise<SweepResult> {
  const startedMs = performance.now();
  const bench = await prepareBench(options).catch((error: unknown) => {
    if (error instanceof JourneyError) return error;
    throw error;
  });
  const failed: Failure[] = [];
  const total = { cuts: 0, pairs: 0, followed: 0, imageBytes: 0, failed };
  if (bench instanceof JourneyError) failed.push({ id: bench.journey, problem: bench.message });
  else await sweepJourneys(bench, options, total);
  const seconds = Math.round(performance.now() - startedMs) / 1000;
  return { ...total, survived: Math.max(0, total.cuts + total.pairs - failed.length), seconds };
}

type Total = { -readonly [Name in "cuts" | "pairs" | "followed" | "imageBytes"]: number } & {
  readonly failed: Failure[];
};

async function sweepJourneys(bench: BenchOptions, options: SweepOptions, total: Total): Promise<void> {
  const names = options.journeys ?? JOURNEYS;
  const tasks = bench.recordings.flatMap((recording, journey) =>
    names.includes(recording.name) ? tasksOf(recording, journey) : [],
  );
  total.imageBytes = bench.images.update.image.length;
  let doneCount = 0;
  const isStopped = () => options.failFast === true && total.failed.length > 0;
  const onOutcome = (outcome: Outcome) => {
    total.cuts += outcome.cuts;
    total.pairs += outcome.pairs;
    total.followed += outcome.followed;
    total.failed.push(...outcome.failed);
    doneCount += 1;
    options.onProgress?.(doneCount, tasks.length);
  };
  const count = options.workerCount ?? availableParallelism();
  if (count === 0) return inTurn(new Bench(bench), tasks, isStopped, onOutcome);
  const module = new URL("./worker.ts", import.meta.url);
  await inThreads<Task, Outcome>({ module, data: bench, tasks, count, isStopped, onOutcome });
}

async function inTurn(
  bench: Bench,
  tasks: readonly Task[],
  isStopped: () => boolean,
  onOutcome: (outcome: Outcome) => void,
): Promise<void> {
  for (const { journey, operation } of tasks) {
    if (isStopped()) return;
    onOutcome(await bench.sweepOperation(journey, operation));
  }
}

/** What a bench needs: the images, and the journeys made once without a cut. */
export async function prepareBench(options: SweepOptions): Promise<BenchOptions> {
  const { seed, imageBytes = 0, pairsEach = 0, replace, journeys, onJourneyTrace } = options;
  const images = await buildSweepImages(seed, imageBytes, replace);
  return { seed, images, recordings: await recordJourneys(images, journeys, onJourneyTrace), pairsEach };
}

/** What lies outside the slots comes first: few cuts, and most of what can go wrong. */
function tasksOf({ operations, firstOperation }: Recording, journey: number): Task[] {
  const indexes = operations.map((_, index) => index).slice(firstOperation);
  const isSlot = (index: number): number => Number(isInSlot(operations[index]!));
  return indexes
    .sort((first, second) => isSlot(first) - isSlot(second) || first - second)
    .map((operation) => ({ journey, operation }));
}
