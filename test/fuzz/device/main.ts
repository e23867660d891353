// `npm run fuzz -- device …`: reads the command line, runs the fuzz, prints a table of kinds and every finding with the command that repeats it.

import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { progressBar } from "../progress.js";
import { formatRanges, parseRanges } from "./ranges.js";
import { type DeviceFuzzResult, type Finding, fuzzDevice } from "./run.js";

const DEFAULT_COUNT = 1_000_000;
/** Classes of answers in a row of the table; the others are counted together. */
const MAX_CLASSES = 6;

export async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      inputs: { type: "string" },
      seed: { type: "string" },
      first: { type: "string" },
      only: { type: "string" },
      replay: { type: "string" },
      json: { type: "boolean" },
    },
  });
  const seed = values.seed ?? randomBytes(4).toString("hex");
  const replay = values.replay === undefined ? undefined : parseRanges(values.replay);
  const inputCount = replay?.length ?? Number(values.inputs ?? DEFAULT_COUNT);
  const { only, json = false } = values;
  if (!json)
    console.log(`seed ${seed}, ${inputCount} inputs${only === undefined ? "" : ` of the kind ${only}`}`);
  const startedAt = Date.now();
  const result = await fuzzDevice({
    seed,
    inputCount,
    first: Number(values.first ?? 0),
    only,
    replay,
    onProgress: replay || json ? () => {} : progressBar(inputCount, "inputs"),
    onTrace: replay && !json ? (line) => console.log(line) : undefined,
  });
  if (json) console.log(JSON.stringify(jsonOf(seed, result)));
  else print(seed, result, Date.now() - startedAt);
  if (result.findings.length > 0) process.exitCode = 1;
}

const jsonOf = (seed: string, { kinds, findings }: DeviceFuzzResult) => ({
  seed,
  kinds: Object.fromEntries(
    [...kinds].map(([name, { answers, ...counts }]) => [
      name,
      { ...counts, answers: Object.fromEntries(answers) },
    ]),
  ),
  findings,
});

function print(seed: string, { kinds, findings }: DeviceFuzzResult, elapsedMs: number): void {
  console.log("\nkind        inputs    restarts  hangs  growth  others  answers");
  const total = { inputCount: 0, restarts: 0, hangs: 0, growth: 0, others: 0 };
  const row = (name: string, counts: typeof total, answers: string) =>
    console.log(
      `${name.padEnd(11)} ${`${counts.inputCount}`.padEnd(9)} ${`${counts.restarts}`.padEnd(9)} ${`${counts.hangs}`.padEnd(6)} ${`${counts.growth}`.padEnd(7)} ${`${counts.others}`.padEnd(7)} ${answers}`,
    );
  for (const [name, result] of kinds) {
    row(name, result, classes(result.answers));
    for (const column of ["inputCount", "restarts", "hangs", "growth", "others"] as const)
      total[column] += result[column];
  }
  row("all", total, `in ${Math.round(elapsedMs / 1000)} s`);
  for (const finding of findings) printFinding(seed, finding);
}

function classes(answers: ReadonlyMap<string, number>): string {
  const sorted = [...answers].sort(([, a], [, b]) => b - a);
  const others = sorted.slice(MAX_CLASSES).reduce((sum, [, count]) => sum + count, 0);
  const shown = sorted.slice(0, MAX_CLASSES).map(([name, count]) => `${name} ${count}`);
  return [...shown, ...(others > 0 ? [`others ${others}`] : [])].join(", ");
}

function printFinding(seed: string, { kind, fault, inputs, text, count }: Finding): void {
  console.error(`\n${kind}: ${fault} (${count} times)`);
  console.error(`  ${inputs.length > 1 ? `after ${inputs.length - 1} others: ` : ""}${text}`);
  console.error(
    `  again: npm run fuzz -- device --only ${kind} --seed ${seed} --replay ${formatRanges(inputs)}`,
  );
}
