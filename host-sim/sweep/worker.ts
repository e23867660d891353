// A worker thread of the sweep: has its own bench, and carries out the cuts of the operations that it is sent.

import { parentPort, workerData } from "node:worker_threads";
import { Bench, type BenchOptions, type Outcome } from "./bench.js";

/** A worker's task: all cuts of one operation of a journey. */
export interface Task {
  readonly journey: number;
  readonly operation: number;
}

export type Answer = { readonly outcome: Outcome } | { readonly error: string };

const bench = new Bench(workerData as BenchOptions);
parentPort?.on("message", ({ journey, operation }: Task) => {
  const answer = (value: Answer): void => parentPort?.postMessage(value);
  bench.sweepOperation(journey, operation).then(
    (outcome) => answer({ outcome }),
    (error: unknown) =>
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
