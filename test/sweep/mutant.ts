// A copy of the project with one safety check disabled in its source, and the sweep of it. Product code has no such switches: the text
// of one file is changed in a temporary folder, and it is asserted that the text was found.

import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect } from "chai";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const COPIED = ["firmware", "host-sim", "partitions", "release", "package.json", "tsconfig.json"];

export interface Mutation {
  /** Relative to the project. */
  readonly file: string;
  /** Occurs exactly once in it. */
  readonly original: string;
  readonly mutated: string;
}

/** What `npm run sweep -- --json` prints. */
export interface SweepJson {
  readonly cuts: number;
  readonly pairs: number;
  readonly survived: number;
  readonly failed: readonly string[];
}

export async function sweepMutant(
  mutation: Mutation,
  ...parameters: string[]
): Promise<{ readonly exitCode: number; readonly result: SweepJson; readonly log: string }> {
  const folder = mkdtempSync(join(tmpdir(), "skyslot-mutant-"));
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    mutate(folder, mutation);
    const sweep = ["--import", "tsx", "host-sim/sweep/main.ts", "--json", "--bail", ...parameters];
    const { exitCode, stdout, stderr } = await run(sweep, folder);
    expect(stdout, stderr).match(/^\{.*\}\n$/);
    return { exitCode, result: JSON.parse(stdout), log: stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function mutate(folder: string, { file, original, mutated }: Mutation): void {
  const path = join(folder, file);
  const source = readFileSync(path, "utf8");
  expect(source.split(original).length, `"${original}" occurs once in ${file}`).equal(2);
  writeFileSync(path, source.replace(original, mutated));
}

async function run(parameters: readonly string[], cwd: string) {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, parameters, { cwd });
    return { exitCode: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code?: unknown; stdout: string; stderr: string };
    if (typeof code !== "number") throw error;
    return { exitCode: code, stdout, stderr };
  }
}
