// What a journey found, as a table for people and as values for programs.

import { bold, green, printLine, printTable, red, yellow } from "../../server/cli/output.js";
import { type MemoryUse, worstOf } from "./memory-log.js";

export interface Outcome extends MemoryUse {
  readonly step: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly seconds: number;
  /** What was observed, or why it failed or was skipped. */
  readonly detail: string;
}

const PAINT = Object.freeze({ passed: green, failed: red, skipped: yellow });

export function printOutcomes(outcomes: readonly Outcome[]): void {
  const row = (name: string, seconds: number, use: MemoryUse, result: string) => [
    name,
    seconds.toFixed(1),
    number(use.lowestHeap),
    number(use.slotPeak),
    number(use.chunkPeak),
    result,
  ];
  const rows = outcomes.map((outcome) =>
    row(outcome.step, outcome.seconds, outcome, PAINT[outcome.result](outcome.result)),
  );
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0);
  printLine();
  printTable(
    ["STEP", "SECONDS", "LOWEST HEAP", "XS SLOTS", "XS CHUNKS", "RESULT"],
    [...rows, row("all", seconds, worstOf(outcomes), summaryOf(outcomes))],
  );
  for (const { step, result, detail } of outcomes)
    if (result !== "passed") printLine(`\n${bold(step)} ${result}: ${detail}`);
}

function summaryOf(outcomes: readonly Outcome[]): string {
  const count = (result: Outcome["result"]) => outcomes.filter((outcome) => outcome.result === result).length;
  return `${count("passed")} passed, ${count("failed")} failed, ${count("skipped")} skipped`;
}

/** Bytes; empty where nothing was reported. */
const number = (bytes: number | undefined): string => (bytes === undefined ? "" : `${bytes}`);
