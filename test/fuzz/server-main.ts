// `npm run fuzz -- [--requests N] [--seed S] [--first N]`: fuzzes the server. The same seed sends the same requests.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { runFuzz } from "./run.js";

const { values } = parseArgs({
  options: { requests: { type: "string" }, seed: { type: "string" }, first: { type: "string" } },
});
const requestCount = Number(values.requests ?? 200_000);
const first = Number(values.first ?? 0);
const seed = values.seed ?? randomBytes(4).toString("hex");
const BAR_WIDTH = 40;

console.log(`seed ${seed}, ${requestCount} requests from number ${first}`);
let shownAt = 0;
const startedAt = Date.now();
const { failures, statuses, routeCount, unsentCount, memory } = await runFuzz({
  seed,
  requestCount,
  first,
  onProgress: (doneCount, failureCount) => {
    const isOver = doneCount === requestCount;
    if (Date.now() - shownAt < (process.stdout.isTTY ? 100 : 10_000) && !isOver) return;
    shownAt = Date.now();
    const filled = Math.round((doneCount / requestCount) * BAR_WIDTH);
    const bar = `${"█".repeat(filled)}${"░".repeat(BAR_WIDTH - filled)}`;
    const perSecond = Math.round((doneCount / Math.max(1, Date.now() - startedAt)) * 1000);
    const line = `${bar} ${doneCount}/${requestCount}, ${perSecond}/s, ${failureCount} failures`;
    process.stdout.write(
      process.stdout.isTTY && !isOver ? `\r${line}` : `${process.stdout.isTTY ? "\r" : ""}${line}\n`,
    );
  },
});
const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`);
console.log(`${routeCount} routes; ${counts.join(", ")}; ${unsentCount} could not be sent`);
console.log(`memory ${mebibytes(memory.early)} early, ${mebibytes(memory.late)} at the end`);
for (const { index, reason, request } of failures) {
  console.error(`\nnumber ${index}: ${reason}\n  ${request}`);
  console.error(`  alone: npm run fuzz -- --seed ${seed} --first ${index} --requests 1`);
}
if (failures.length > 0) {
  console.error(`\nall again: npm run fuzz -- --seed ${seed} --requests ${requestCount}`);
  process.exitCode = 1;
}
