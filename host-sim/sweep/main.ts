// `npm run sweep`: the sweep on the command line. The exit code is 1 if any cut was not survived, or if there was none.

import { Command, InvalidArgumentError, Option } from "commander";
import { createTerminal, type Terminal } from "../sim/terminal.js";
import { Bench } from "./bench.js";
import { replayPair, runPairSweep } from "./pair/program.js";
import { KINDS, type Kind } from "./pair/sweep.js";
import { JOURNEYS, type JourneyName } from "./recording.js";
import { prepareBench, type SweepResult, sweep } from "./sweep.js";

const MIB = 1024 * 1024;
/** Of several faults each, at a pair. */
const SEED_COUNT = 1_000;
const FULL_SEED_COUNT = 10_000;
/** Failures that are printed one by one. */
const MAX_PRINTED = 20;

interface Arguments {
  readonly full?: true;
  readonly json?: true;
  readonly seed: number;
  readonly pairs: number;
  readonly journey?: readonly JourneyName[];
  readonly bail?: true;
  readonly workers?: number;
  readonly replay?: string;
  readonly pair?: true;
  readonly seeds?: number;
  readonly kind?: readonly Kind[];
  readonly step?: number;
}

const program = new Command("sweep")
  .description(
    "Cuts the power of a virtual device at every flash operation of its journeys, and inside it at every byte.",
  )
  .option("--full", "an image of 1 MiB; without it the smallest that has the whole core")
  .option("--seed <number>", "seed for torn writes and second cuts", wholeNumber, 1)
  .option("--pairs <number>", "0: no second cuts; 2, 3 …: that many times as many", wholeNumber, 1)
  .addOption(new Option("--journey <name...>", "only these journeys").choices(JOURNEYS))
  .option("--bail", "stop at the first failure")
  .option("--workers <number>", "threads (default: one for each processor)", wholeNumber)
  .option("--replay <id>", "run one cut again, and print what happens (give the same --seed and --full)")
  .option("--pair", "a receiver and its transmitter that update their system, instead of one device")
  .option(
    "--seeds <number>",
    `with --pair: runs with several faults (default: ${SEED_COUNT}, with --full ${FULL_SEED_COUNT})`,
    wholeNumber,
  )
  .addOption(new Option("--kind <name...>", "with --pair: only what disturbs these").choices(KINDS))
  .option("--step <number>", "with --pair: one of so many single faults only", wholeNumber)
  .option("--json", "one JSON object on standard output; everything else goes to standard error")
  .parse();
const options = program.opts<Arguments>();
const screen = createTerminal(options.json ? process.stderr : process.stdout);
process.exitCode = (await (options.pair ? runPair() : runDevice())) ? 0 : 1;

function runDevice(): Promise<boolean> {
  return options.replay === undefined ? runSweep() : replay(options.replay);
}

function runPair(): Promise<boolean> {
  const { seed, full, kind, step, bail, workers, replay: id } = options;
  const isJson = options.json === true;
  if (id !== undefined) return replayPair(id, seed, screen, isJson);
  const common = {
    seed,
    seedCount: options.seeds ?? (full ? FULL_SEED_COUNT : SEED_COUNT),
    isFull: full === true,
    failFast: bail === true,
    ...(kind ? { kinds: kind } : {}),
    ...(step ? { step } : {}),
    ...(workers === undefined ? {} : { workerCount: workers }),
  };
  return runPairSweep(common, screen, isJson);
}

async function runSweep(): Promise<boolean> {
  const result = await sweep({
    ...common(),
    ...(options.journey ? { journeys: options.journey } : {}),
    failFast: options.bail === true,
    ...(options.workers === undefined ? {} : { workerCount: options.workers }),
    onProgress: (done, total) => screen.progress("cutting power", done, total, "operations"),
  });
  if (options.json) process.stdout.write(`${JSON.stringify(asJson(result))}\n`);
  report(result, screen);
  return result.failed.length === 0 && result.cuts > 0;
}

async function replay(id: string): Promise<boolean> {
  if (JOURNEYS.some((name) => name === id)) return replayJourney(id);
  const journeys = JOURNEYS.filter((name) => name === id.split(":", 1)[0]);
  const bench = new Bench(await prepareBench({ ...common(), journeys }));
  const { problem } = await bench.replay(id, (line) => screen.note(line));
  if (options.json) process.stdout.write(`${JSON.stringify({ id, problem: problem ?? null })}\n`);
  if (problem === undefined) screen.done(`survived ${id}`);
  else screen.warn(`${id}: ${problem}`);
  return problem === undefined;
}

/** Without a cut. */
async function replayJourney(id: string): Promise<boolean> {
  const onJourneyTrace = (name: JourneyName, line: string) => name === id && screen.note(line);
  return prepareBench({ ...common(), onJourneyTrace }).then(
    () => true,
    (error: unknown) => {
      screen.warn(String(error));
      return false;
    },
  );
}

function common() {
  return { seed: options.seed, pairsEach: options.pairs, ...(options.full ? { imageBytes: MIB } : {}) };
}

function asJson({ cuts, pairs, survived, failed, followed, imageBytes, seconds }: SweepResult) {
  return { cuts, pairs, survived, failed: failed.map(({ id }) => id), followed, imageBytes, seconds };
}

function report(result: SweepResult, { done, note, warn }: Terminal): void {
  const { cuts, pairs, survived, failed, followed, imageBytes, seconds } = result;
  const count = (value: number): string => value.toLocaleString("en").replaceAll(",", " ");
  note(`image of ${count(imageBytes)} bytes, seed ${options.seed}, ${seconds} s`);
  note(`${count(cuts)} cuts and ${count(pairs)} pairs of cuts`);
  note(
    `${count(followed)} devices followed until they had settled; ${count(cuts + pairs - followed)} proved to have the future of one of them`,
  );
  for (const { id, problem } of failed.slice(0, MAX_PRINTED)) warn(`${id}: ${problem}`);
  if (failed.length > MAX_PRINTED) warn(`and ${count(failed.length - MAX_PRINTED)} more`);
  if (cuts === 0) warn("power was never cut: this proves nothing");
  else if (failed.length === 0) done(`all ${count(survived)} survived`);
  else
    warn(
      `${count(failed.length)} not survived; see one with: npm run sweep -- --seed ${options.seed} --replay ID`,
    );
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0)
    throw new InvalidArgumentError("It has to be a whole number.");
  return value;
}
