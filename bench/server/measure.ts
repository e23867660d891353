// Starts the programs of the bench, loads servers in turns and prints one line for each.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Load, LoadResult } from "./load.js";

const SECONDS = 5;
const ROUNDS = 5;

export const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const children: ChildProcess[] = [];

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
): Promise<string> {
  return (await startProcess(command, args, env)).line;
}

export async function startProcess(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<{ readonly line: string; readonly child: ChildProcess }> {
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  addChild(child);
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([
    once(lines, "line"),
    once(child, "exit").then(([code]) => Promise.reject(new Error(`${command} ended with ${code}`))),
  ])) as [string];
  return { line, child };
}

export async function load(folder: string, what: Load): Promise<LoadResult> {
  const file = join(folder, "load.json");
  await writeFile(file, JSON.stringify(what));
  return JSON.parse(await start(process.execPath, ["--import=tsx", here("load.ts"), file])) as LoadResult;
}

const median = (results: readonly LoadResult[], of: (result: LoadResult) => number): number =>
  results.map(of).sort((a, b) => a - b)[results.length >> 1] ?? 0;

/** What a server puts off counts too, in whatever round it is done. */
const mean = (results: readonly LoadResult[], of: (result: LoadResult) => number): number =>
  results.reduce((sum, result) => sum + of(result), 0) / results.length;

export interface Subject {
  readonly name: string;
  readonly load: Omit<Load, "seconds">;
}

/** In turns, so that a noisy minute is everyone's. The first of the subjects is the reference. */
export async function compare(
  folder: string,
  what: string,
  subjects: readonly Subject[],
  unit: (result: LoadResult) => number,
  name: string,
) {
  const results = subjects.map((): LoadResult[] => []);
  for (let round = 0; round < ROUNDS; round++)
    for (const [at, subject] of subjects.entries())
      results[at]?.push(await load(folder, { ...subject.load, seconds: SECONDS }));
  console.log(`\n${what}`);
  for (const [at, subject] of subjects.entries())
    report(subject.name, results[at] ?? [], unit, name, results[0]);
}

/** One line: the mean of the rates, the lowest and the highest ratio of a round, the medians of the rounds' p50 and p99. */
export function report(
  subject: string,
  results: readonly LoadResult[],
  unit: (result: LoadResult) => number,
  name: string,
  reference?: readonly LoadResult[],
) {
  const figure = mean(results, unit);
  const failedCount = results.reduce((sum, result) => sum + result.failedCount, 0);
  console.log(
    `  ${subject.padEnd(28)} ${figure.toFixed(0).padStart(8)} ${name}  ` +
      `${(reference === undefined ? "" : ratioText(results, reference, unit)).padStart(22)}  ` +
      `p50 ${median(results, ({ p50Ms }) => p50Ms).toFixed(2)} ms  ` +
      `p99 ${median(results, ({ p99Ms }) => p99Ms).toFixed(2)} ms${failedCount > 0 ? `  ${failedCount} FAILED` : ""}`,
  );
}

function ratioText(
  results: readonly LoadResult[],
  reference: readonly LoadResult[],
  unit: (result: LoadResult) => number,
): string {
  const ratios = results.map((result, round) => unit(result) / unit(reference[round] as LoadResult));
  const whole = mean(results, unit) / mean(reference, unit);
  return `${whole.toFixed(2)} × (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`;
}
