// The worker's side of threads.ts: carries out each task that it is sent, and answers with what has come out, or what has gone wrong.

import { parentPort, workerData } from "node:worker_threads";
import type { Answer } from "./threads.js";

/** What the thread begins with. */
export const threadData = (): unknown => (workerData as { readonly data: unknown }).data;

export function answerTasks<Task, Outcome>(carryOut: (task: Task) => Promise<Outcome>): void {
  const answer = (value: Answer<Outcome>): void => parentPort?.postMessage(value);
  parentPort?.on("message", (task: Task) => {
    carryOut(task).then(
      (outcome) => answer({ outcome }),
      (error: unknown) =>
        answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
}
