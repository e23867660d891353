// Hands tasks out to worker threads, one at a time to each. Knows nothing of what they do.

import { Worker } from "node:worker_threads";

/** What a thread's module (worker.ts) answers to each task. */
export type Answer<Outcome> = { readonly outcome: Outcome } | { readonly error: string };

export interface Threads<Task, Outcome> {
  /** Its module, which answers each message. */
  readonly module: URL;
  /** What each begins with: `workerData.data`. */
  readonly data: unknown;
  readonly tasks: readonly Task[];
  readonly count: number;
  /** Whether no more tasks are to be begun. */
  readonly isStopped: () => boolean;
  readonly onOutcome: (outcome: Outcome) => void;
}

/** A simulated device leaves much short-lived garbage. */
const ROOM = Object.freeze({ maxYoungGenerationSizeMb: 128 });

/** @throws Error what a thread could not do */
export async function inThreads<Task, Outcome>(threads: Threads<Task, Outcome>): Promise<void> {
  const { tasks, count, module, data, isStopped, onOutcome } = threads;
  const waiting = [...tasks];
  const entry = new URL("./worker-entry.js", import.meta.url);
  const workerData = { module: module.href, data };
  const workers = Array.from(
    { length: Math.min(count, tasks.length) },
    () => new Worker(entry, { workerData, resourceLimits: ROOM }),
  );
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const next = (): void => {
        const task = isStopped() ? undefined : waiting.shift();
        if (task === undefined) resolve();
        else worker.postMessage(task);
      };
      worker.on("error", reject);
      worker.on("exit", () => reject(new Error("a worker of the sweep has ended early")));
      worker.on("message", (answer: Answer<Outcome>) => {
        if ("error" in answer) return reject(new Error(answer.error));
        onOutcome(answer.outcome);
        next();
      });
      next();
    });
  try {
    await Promise.all(workers.map(work));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
