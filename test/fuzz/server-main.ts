// `npm run fuzz -- server [--requests N] [--seed S] [--first N]`: fuzzes the server. The same seed sends the same requests.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { progressBar } from "./progress.js";
import { runFuzz } from "./run.js";

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { requests: { type: "string" }, seed: { type: "string" }, first: { type: "string" } },
  });
  const requestCount = Number(values.requests ?? 200_000);
  const first = Number(values.first ?? 0);
  const seed = values.seed ?? randomBytes(4).toString("hex");
  console.log(`seed ${seed}, ${requestCount} requests from number ${first}`);
  const { failures, statuses, routeCount, unreached, refused, unsentCount, memory } = await runFuzz({
    seed,
    requestCount,
    first,
    onProgress: progressBar(requestCount, "requests"),
    // At once: a run takes minutes.
    onFailure: ({ index, reason, request }) => {
      console.error(`\nnumber ${index}: ${reason}\n  ${request}`);
      console.error(`  alone: npm run fuzz -- --seed ${seed} --first ${index} --requests 1`);
    },
  });
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
  console.log(
    `${routeCount - unreached.length} of ${routeCount} routes reached, ${routeCount - refused.length} carried out; ${counts.join(", ")}; ${unsentCount} could not be sent`,
  );
  if (unreached.length > 0) console.log(`not reached: ${unreached.join(", ")}`);
  if (refused.length > 0) console.log(`refused every request: ${refused.join(", ")}`);
  console.log(`memory ${mebibytes(memory.early)} early, ${mebibytes(memory.late)} at the end`);
  if (failures.length > 0) {
    console.error(`\nall again: npm run fuzz -- --seed ${seed} --requests ${requestCount}`);
    process.exitCode = 1;
  }
}
