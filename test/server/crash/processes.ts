// Server processes that are killed: built once into one file, and each started before it is needed.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { ChildOrder } from "./child.js";

const SOURCE = fileURLToPath(new URL("child.ts", import.meta.url));
/** Stays a separate file: it runs in a thread. */
const THREAD = fileURLToPath(new URL("../../../server/store/sql/sqlite-thread.js", import.meta.url));
/** Inside the clone, where the packages that are not built in are found. */
const FOLDER = fileURLToPath(new URL("../../../build/", import.meta.url));
const CHILD = "child.mjs";
const LEFT_OUT = ["better-sqlite3", "esbuild", "pg-native", "pino-pretty", "@fastify/swagger-ui"];

export interface Answering {
  readonly url: string;
  readonly adminToken: string;
}

export class CrashProcesses {
  readonly #folder: string;
  #next: ChildProcess;

  private constructor(folder: string) {
    this.#folder = folder;
    this.#next = this.#spawn();
  }

  static async open(): Promise<CrashProcesses> {
    const folder = join(FOLDER, `crash-${process.pid}`);
    await mkdir(folder, { recursive: true });
    await copyFile(THREAD, join(folder, basename(THREAD)));
    await build({
      entryPoints: [SOURCE],
      outfile: join(folder, CHILD),
      bundle: true,
      platform: "node",
      format: "esm",
      external: LEFT_OUT,
      logLevel: "error",
      banner: {
        js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url); const __filename = "", __dirname = "";',
      },
    });
    return new CrashProcesses(folder);
  }

  /** Starts a server and returns how to reach it, or `undefined` if it ended before it listened. */
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
    await rm(this.#folder, { recursive: true, force: true });
  }

  #spawn(): ChildProcess {
    const child = spawn(process.execPath, [join(this.#folder, CHILD)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    // It may be gone when it is written to.
    child.stdin.on("error", () => {});
    return child;
  }
}

/** Resolves with the cause of its end. */
export async function endOf(child: ChildProcess): Promise<string | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.signalCode;
}
