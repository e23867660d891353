// Runs test files in a separate process, on the unchanged source or with one mutation, until the first test fails.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Mutation } from "../mutation.js";

export interface TestRun {
  /** `stopped`: it used too much CPU time. */
  readonly outcome: "passed" | "failed" | "stopped";
  /** The test that failed, or the error that ended the run. */
  readonly by: string;
}

/** Seconds of CPU time: the whole unit tier needs about 25. */
const CPU_SECONDS_MAX = 90;
const MOCHA = "node_modules/mocha/bin/mocha.js";
/** Mocha would start another process for the loaders of .mocharc; here they are loaded already. */
const PARAMETERS = [
  "--import",
  "tsx",
  "--import",
  "./test/mutations/runner/mutant.ts",
  "--no-warnings",
  MOCHA,
];

export async function runTests(files: readonly string[], mutation: Mutation | undefined): Promise<TestRun> {
  const folder = await mkdtemp(join(tmpdir(), "skyslot-mutation-"));
  const report = join(folder, "report.json");
  const options = ["--no-config", "--bail", "--exit", "--timeout", "60000"];
  const reporter = ["--reporter", "json", "--reporter-option", `output=${report}`];
  try {
    const { code, errors } = await run([...PARAMETERS, ...options, ...reporter, ...files], mutation);
    if (code === 0) return { outcome: "passed", by: "" };
    const failure = await firstFailure(report);
    if (failure === undefined && code === null)
      return { outcome: "stopped", by: `more than ${CPU_SECONDS_MAX} s of CPU time` };
    return { outcome: "failed", by: failure ?? lastLine(errors) };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** `code` is null for a process that was ended by a signal. */
function run(
  parameters: readonly string[],
  mutation: Mutation | undefined,
): Promise<{ readonly code: number | null; readonly errors: string }> {
  const limited = `ulimit -t ${CPU_SECONDS_MAX}; exec "$@"`;
  const child = spawn("sh", ["-c", limited, "sh", process.execPath, ...parameters], {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, SKYSLOT_MUTATION: JSON.stringify(mutation ?? null) },
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    errors = (errors + text).slice(-4000);
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, errors }));
  });
}

async function firstFailure(report: string): Promise<string | undefined> {
  try {
    const { failures } = JSON.parse(await readFile(report, "utf8")) as {
      readonly failures: readonly { readonly fullTitle: string }[];
    };
    return failures[0]?.fullTitle;
  } catch {
    return undefined;
  }
}

const lastLine = (text: string): string =>
  text.split("\n").findLast((line) => /Error/.test(line)) ?? "the process ended with an error";
