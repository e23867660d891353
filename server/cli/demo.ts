// `skyslot demo`, also `npm start`: a whole update on a virtual device.

import type { Command } from "commander";
import { UsageError, wholeNumber } from "./output.js";

interface Flags {
  readonly once?: boolean;
  readonly json?: boolean;
  readonly manual?: boolean;
  readonly speed?: number;
  readonly trial?: number;
  readonly check?: number;
  readonly port?: number;
  readonly data?: string;
}

export function demoCommand(program: Command): void {
  program
    .command("demo")
    .description("build, sign and serve firmware, set up a virtual device and watch it update itself")
    .option("--once", "end with a summary after the validation")
    .option("--json", "print the summary as one JSON object")
    .option("--manual", "go through the setup portal in your own browser")
    .option("--speed <factor>", "times faster than real time", positive)
    .option("--trial <seconds>", "duration of the trial (default: 8; a real build waits 30)", wholeNumber)
    .option("--check <seconds>", "seconds between update checks (default: 120)", wholeNumber)
    .option("--port <port>", "port of the update server (default: any free port)", wholeNumber)
    .option("--data <folder>", "data folder (default: data)")
    .action(async (flags: Flags) => {
      const { runDemo } = await import("./demo-journey.js");
      process.exitCode = (await runDemo(flags)).ok ? 0 : 1;
    });
}

export function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 1000)) throw new UsageError(`"${text}" is not a factor above 0 and up to 1000`);
  return value;
}
