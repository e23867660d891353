// The `skyslot` command: runs one command line and prints a failure as one sentence.

import { CommanderError } from "commander";
import { describeFailure, UsageError } from "./output.js";
import { createProgram } from "./program.js";

const USAGE_EXIT_STATUS = 2;

/** Runs one command line and sets the exit status: 1 for a failure, 2 for wrong usage. */
async function run(argv: readonly string[]): Promise<void> {
  try {
    await createProgram().parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : USAGE_EXIT_STATUS;
      return;
    }
    process.stderr.write(`skyslot: ${describeFailure(error)}\n`);
    process.exitCode = error instanceof UsageError ? USAGE_EXIT_STATUS : 1;
  }
}

// A reader such as `head` closes the pipe early: not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});
await run(process.argv.slice(2));
