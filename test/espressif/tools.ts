// Espressif's own programs, from PyPI: where they are, and how they are run. A test that needs one is skipped, and says why,
// if it is not installed.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PYTHON = fileURLToPath(new URL("../../.venv/bin/python", import.meta.url));
const HINT = "python3 -m venv .venv && .venv/bin/pip install 'esptool>=5,<6' esp-idf-nvs-partition-gen";

export interface Tool {
  readonly module: string;
  readonly version: string;
}

/** The program of a Python module; undefined, with the reason on standard error, if it is missing. */
export function findTool(module: string, distribution: string): Tool | undefined {
  if (!existsSync(PYTHON)) return absent(module, "there is no .venv");
  const script = `import importlib.metadata as m, ${module}; print(m.version("${distribution}"))`;
  const { status, stdout } = spawnSync(PYTHON, ["-c", script], { encoding: "utf8" });
  return status === 0 ? { module, version: stdout.trim() } : absent(module, "it is not installed in .venv");
}

function absent(module: string, reason: string): undefined {
  process.stderr.write(`tests against ${module} are skipped: ${reason} (${HINT})\n`);
  return undefined;
}

/** Runs it and returns its output. @throws Error with its output when it fails */
export function runTool({ module }: Tool, ...args: string[]): string {
  try {
    return execFileSync(PYTHON, ["-m", module, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${module} ${args[0]} failed: ${stdout}${stderr}`);
  }
}
