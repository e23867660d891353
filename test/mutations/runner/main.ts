// `npm run test:mutations [-- ROOM|WORDS…]`: plants every mutation of the lists, one at a time, runs the unit tests that import the
// mutated file, and prints whether one failed. Ends with 1 where less than 95 % are caught.
//
// A mutant is a separate process: it may loop forever, and its CPU time is bounded (not the wall-clock time,
// which means nothing on a loaded machine).

import { availableParallelism } from "node:os";
import { readConcerned } from "./concerned.js";
import { readLists } from "./lists.js";
import { runTests } from "./run-tests.js";

const CAUGHT_MIN = 0.95;
const words = process.argv.slice(2);

const concerned = await readConcerned();
const planted = (await readLists())
  .flatMap(({ room, mutations }) => mutations.map((mutation) => ({ room, mutation })))
  .filter(
    ({ room, mutation }) =>
      words.length === 0 || words.some((word) => room === word || mutation.what.includes(word)),
  );
const startedAt = Date.now();

const unmutated = [...new Set(planted.flatMap(({ mutation }) => concerned(mutation.file)))];
const sound = await runTests(unmutated, undefined);
if (sound.outcome !== "passed") {
  console.error(`the tests do not pass without a mutation: ${sound.by}`);
  process.exit(2);
}
console.log(`${unmutated.length} test files pass without a mutation, ${planted.length} mutations to plant\n`);

const survivors: string[] = [];
let doneCount = 0;
const queue = [...planted];
await Promise.all(
  Array.from({ length: availableParallelism() }, async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { room, mutation } = next;
      const { outcome, by } = await runTests(concerned(mutation.file), mutation);
      const isCaught = outcome !== "passed";
      doneCount++;
      if (!isCaught) survivors.push(`${room}: ${mutation.what} (${mutation.file})`);
      const count = `${doneCount}/${planted.length}`.padStart(8);
      const caughtBy = outcome === "stopped" ? "computed for too long" : by;
      console.log(`${count}  ${isCaught ? "caught  " : "SURVIVED"}  ${room.padEnd(16)}  ${mutation.what}`);
      if (isCaught) console.log(`${" ".repeat(40)}↳ ${caughtBy}`);
    }
  }),
);

const caughtCount = planted.length - survivors.length;
const percent = planted.length === 0 ? 0 : (100 * caughtCount) / planted.length;
console.log(
  `\n${caughtCount} of ${planted.length} caught (${percent.toFixed(1)} %), in ${Math.round((Date.now() - startedAt) / 1000)} s`,
);
for (const survivor of survivors) console.log(`survived: ${survivor}`);
process.exitCode = percent >= 100 * CAUGHT_MIN ? 0 : 1;
