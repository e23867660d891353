// A worker thread of the sweep: has its own bench, and carries out the cuts of the operations that it is sent.

import { answerTasks, threadData } from "./answering.js";
import { Bench, type BenchOptions } from "./bench.js";

/** A worker's task: all cuts of one operation of a journey. */
export interface Task {
  readonly journey: number;
  readonly operation: number;
}

const bench = new Bench(threadData() as BenchOptions);
answerTasks(({ journey, operation }: Task) => bench.sweepOperation(journey, operation));
