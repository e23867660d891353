// A real server in its own process that kills itself by SIGKILL before a given step: a write, sync, rename or removal of a file,
// a statement of the database, an answer. So every gap between two steps can be hit, and reproducibly by a seed.
//
// Reads one line of JSON from standard input, `{ dataDir, databaseUrl?, killAtStep }`, starts, and writes a line of JSON with its
// URL and token. All that was loaded before the line came: the test can have the next process wait.

import { promises } from "node:fs";
import { ServerResponse } from "node:http";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { Worker } from "node:worker_threads";
import Database from "better-sqlite3";
import pg from "pg";
import { startServer } from "../../../server/start.js";

export interface ChildOrder {
  readonly dataDir: string;
  readonly databaseUrl?: string;
  /** 1: before the first step. 0: never. */
  readonly killAtStep: number;
}

let stepsLeft = 0;
function step(): void {
  if (stepsLeft > 0 && --stepsLeft === 0) process.kill(process.pid, "SIGKILL");
}

type Method = (...values: unknown[]) => unknown;

/** Counts each call of these methods as a step. */
function count(owner: object, ...names: string[]): void {
  const methods = owner as Record<string, Method>;
  for (const name of names) {
    const original = methods[name] as Method;
    methods[name] = function (this: unknown, ...values) {
      step();
      return original.apply(this, values);
    };
  }
}

const folder = await promises.open(tmpdir(), "r");
count(Object.getPrototypeOf(folder) as object, "writeFile", "sync");
await folder.close();
count(promises, "open", "rename", "rm", "mkdir", "writeFile");
syncBuiltinESMExports();
const memory = new Database(":memory:");
count(Object.getPrototypeOf(memory.prepare("select 1")) as object, "run", "all");
memory.close();
// Statements of the database's own thread.
count(Worker.prototype, "postMessage");
count(pg.Client.prototype, "query");
count(ServerResponse.prototype, "end");

for await (const line of createInterface({ input: process.stdin })) {
  const { killAtStep, ...order } = JSON.parse(line) as ChildOrder;
  stepsLeft = killAtStep;
  const server = await startServer({ ...order, port: 0, settings: { deviceRate: undefined } });
  const { url, adminToken } = server;
  process.stdout.write(`${JSON.stringify({ url, adminToken })}\n`);
}
// The parent process is gone.
process.exit(0);
