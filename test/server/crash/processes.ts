// Server processes that are killed: built once into one file, and each started before it is needed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { ChildOrder } from "./child.js";

const SOURCE = fileURLToPath(new URL("child.ts", import.meta.url));
/** Inside the clone, where the packages that are not built in are found. */
const FOLDER = fileURLToPath(new URL("../../../build/", import.meta.url));
const LEFT_OUT = ["better-sqlite3", "esbuild", "pg-native", "pino-pretty", "@fastify/swagger-ui"];

export interface Answering {
  readonly url: string;
  readonly adminToken: string;
}

export class CrashProcesses {
  readonly #file: string;
  #next: ChildProcess;

  private constructor(file: string) {
    this.#file = file;
    this.#next = this.#spawn();
  }

  static async open(): Promise<CrashProcesses> {
    await mkdir(FOLDER, { recursive: true });
    const file = join(FOLDER, `crash-child-${process.pid}.mjs`);
    await build({
      entryPoints: [SOURCE],
      outfile: file,
      bundle: true,
      platform: "node",
      format: "esm",
      external: LEFT_OUT,
      logLevel: "error",
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url); const __filename = "", __dirname = "";',
      },
    });
    return new CrashProcesses(file);
  }

  /** Starts a server and hands over how to reach it, or `undefined` if it ended before it listened. */
  async start(
    order: ChildOrder,
  ): Promise<{ readonly child: ChildProcess; readonly server: Answering | undefined }> {
    const child = this.#next;
    this.#next = this.#spawn();
    child.stdin?.write(`${JSON.stringify(order)}\n`);
    const ended = once(child, "exit").then(() => undefined);
    const lines = createInterface({ input: child.stdout! });
    const line = await Promise.race([once(lines, "line"), ended]);
    return { child, server: line && (JSON.parse(line[0] as string) as Answering) };
  }

  async close(): Promise<void> {
    this.#next.kill("SIGKILL");
    await rm(this.#file, { force: true });
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [this.#file], { stdio: ["pipe", "pipe", "inherit"] });
    // It may be gone when it is written to.
    child.stdin.on("error", () => {});
    return child;
  }
}

/** Resolves with what ended it. */
export async function endOf(child: ChildProcess): Promise<string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode;
}
