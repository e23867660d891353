// `npm run sweep -- --pair`: the pair's sweep on the command line. @returns whether everything was survived, and there was something to survive.

import type { Terminal } from "../../sim/terminal.js";
import {
  KINDS,
  type Kind,
  type PairSweepOptions,
  type PairSweepResult,
  preparePairBench,
  runOrdeal,
  sweepPair,
} from "./sweep.js";

/** Failures that are printed one by one. */
const MAX_PRINTED = 20;

const NAMES: Readonly<Record<Kind, string>> = Object.freeze({
  receiver: "power cut at the receiver",
  transmitter: "power cut at the transmitter",
  frame: "one frame disturbed",
  system: "a system that does not work",
  seed: "several faults, by seed",
});

export async function runPairSweep(
  options: Omit<PairSweepOptions, "onProgress">,
  screen: Terminal,
  isJson: boolean,
): Promise<boolean> {
  const result = await sweepPair({
    ...options,
    onProgress: (done, total) => screen.progress("disturbing the pair", done, total, "updates of its system"),
  });
  if (isJson) process.stdout.write(`${JSON.stringify(asJson(result))}\n`);
  report(result, options.seed, screen);
  return result.failed.length === 0 && runsOf(result) > 0;
}

/** One run again, with what happens in it. */
export async function replayPair(
  id: string,
  seed: number,
  screen: Terminal,
  isJson: boolean,
): Promise<boolean> {
  const bench = await preparePairBench(seed);
  const { problem, ending } = await runOrdeal(bench, id, (line) => screen.note(line));
  if (isJson) process.stdout.write(`${JSON.stringify({ id, problem: problem ?? null, ending })}\n`);
  if (problem === undefined) screen.done(`survived ${id}: both run the ${ending} version`);
  else screen.warn(`${id}: ${problem}`);
  return problem === undefined;
}

const runsOf = ({ tallies }: PairSweepResult): number =>
  KINDS.reduce((sum, kind) => sum + tallies[kind].runs, 0);

function asJson(result: PairSweepResult) {
  const { tallies, failed, followed, operations, frames, seconds } = result;
  const runs = runsOf(result);
  const ids = failed.map(({ id }) => id);
  return { runs, survived: runs - ids.length, failed: ids, tallies, followed, operations, frames, seconds };
}

function report(result: PairSweepResult, seed: number, { done, note, warn }: Terminal): void {
  const { tallies, failed, followed, operations, frames, seconds } = result;
  const count = (value: number): string => value.toLocaleString("en").replaceAll(",", " ");
  note(
    `without a fault: ${operations.receiver} operations of the receiver's flash, ${operations.transmitter} of the transmitter's, ${frames} frames; seed ${seed}, ${seconds} s`,
  );
  note(row("", ["runs", "both new", "both old", "not survived"]));
  for (const kind of KINDS) {
    const { runs, isNew, isOld } = tallies[kind];
    note(row(NAMES[kind], [runs, isNew, isOld, runs - isNew - isOld].map(count)));
  }
  note(`after ${count(followed)} of them the next system was published, and had to be installed`);
  for (const { id, problem } of failed.slice(0, MAX_PRINTED)) warn(`${id}: ${problem}`);
  if (failed.length > MAX_PRINTED) warn(`and ${count(failed.length - MAX_PRINTED)} more`);
  const runs = runsOf(result);
  if (runs === 0) warn("nothing was disturbed: this proves nothing");
  else if (failed.length === 0) done(`all ${count(runs)} survived`);
  else
    warn(
      `${count(failed.length)} not survived; see one with: npm run sweep -- --pair --seed ${seed} --replay ID`,
    );
}

const NAME_WIDTH = 30;
const NUMBER_WIDTH = 14;

const row = (name: string, values: readonly string[]): string =>
  name.padEnd(NAME_WIDTH) + values.map((value) => value.padStart(NUMBER_WIDTH)).join("");
