// Starts the programs of the benchmark, loads servers in turn and prints one line for each.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import type { Load, LoadResult } from "./load.js";

const SECONDS = 5;
const ROUNDS = 5;

export const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const children: ChildProcess[] = [];

export interface Started {
  /** The first line that it printed. */
  readonly line: string;
  readonly child: ChildProcess;
}

/** `stopAll` ends it. */
export const addChild = (child: ChildProcess): number => children.push(child);

export function stopAll(): void {
  for (const child of children) child.kill();
}

/** Starts a program and waits for its first line. */
export async function start(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Started> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: { ...process.env, ...env },
  });
  addChild(child);
  const lines = createInterface({ input: child.stdout as Readable });
  const [line] = (await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`${command} ended with ${code}`))),
  ])) as [string];
  return { line, child };
}

/** Microseconds of CPU time that a server has used, in all its threads. */
export async function cpuOf(child: ChildProcess): Promise<number> {
  child.send("cpu");
  const [{ user, system }] = (await once(child, "message")) as [NodeJS.CpuUsage];
  return user + system;
}

export async function load(folder: string, what: Load): Promise<LoadResult> {
  const file = join(folder, "load.json");
  await writeFile(file, JSON.stringify(what));
  const { line } = await start(process.execPath, ["--import=tsx", here("load.ts"), file]);
  return JSON.parse(line) as LoadResult;
}

const median = (results: readonly LoadResult[], of: (result: LoadResult) => number): number =>
  results.map(of).sort((a, b) => a - b)[results.length >> 1] ?? 0;

/** Work that a server defers counts too, in the round in which it is done. */
const mean = (results: readonly LoadResult[], of: (result: LoadResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0) / results.length;

export interface Subject {
  readonly name: string;
  readonly load: Omit<Load, "seconds">;
  /** The server under load, if it reports its CPU time. */
  readonly child?: ChildProcess;
}

/** Results of one subject over all rounds. */
interface Outcome {
  readonly results: LoadResult[];
  cpuMicros: number;
}

/** In turn, so that a noisy minute affects all subjects. The first subject is the reference. */
export async function compare(
  folder: string,
  what: string,
  subjects: readonly Subject[],
  unit: (result: LoadResult) => number,
  name: string,
): Promise<void> {
  const outcomes = subjects.map((): Outcome => ({ results: [], cpuMicros: 0 }));
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, subject] of subjects.entries()) await run(folder, subject, outcomes[at] as Outcome);
  console.log(`\n${what}`);
  for (const [at, subject] of subjects.entries())
    report(subject.name, outcomes[at] as Outcome, unit, name, outcomes[0]);
}

async function run(folder: string, subject: Subject, outcome: Outcome): Promise<void> {
  const before = subject.child ? await cpuOf(subject.child) : 0;
  outcome.results.push(await load(folder, { ...subject.load, seconds: SECONDS }));
  if (subject.child) outcome.cpuMicros += (await cpuOf(subject.child)) - before;
}

/**
 * One line: the mean of the rates, the CPU time per answer (less affected by other load on the machine), each with its ratio
 * to the reference, and the medians of the rounds' p50 and p99.
 */
export function report(
  subject: string,
  outcome: Outcome,
  unit: (result: LoadResult) => number,
  name: string,
  reference?: Outcome,
): void {
  const { results } = outcome;
  const figure = mean(results, unit);
  const ratio = reference && figure / mean(reference.results, unit);
  const cpu = cpuPerAnswer(outcome);
  const cpuRatio = reference && cpu / cpuPerAnswer(reference);
  const failedCount = results.reduce((sum, result) => sum + result.failedCount, 0);
  console.log(
    `  ${subject.padEnd(26)} ${figure.toFixed(0).padStart(7)} ${name} ${ratioText(ratio)}` +
      `  ${cpu > 0 ? cpu.toFixed(0).padStart(6) : "     -"} µs ${ratioText(cpuRatio)}` +
      `  p50 ${median(results, ({ p50Ms }) => p50Ms).toFixed(2)} ms` +
      `  p99 ${median(results, ({ p99Ms }) => p99Ms).toFixed(2)} ms${failedCount > 0 ? `  ${failedCount} FAILED` : ""}`,
  );
}

const cpuPerAnswer = ({ results, cpuMicros }: Outcome): number =>
  cpuMicros / results.reduce((sum, { count }) => sum + count, 0);

const ratioText = (ratio: number | undefined): string =>
  (Number.isFinite(ratio) && ratio !== 0 ? `${ratio?.toFixed(2)} ×` : "").padStart(8);
