// The thread's side of sqlite-worker.ts: one connection to the file, and one statement after the other. Plain JavaScript: a thread has
// no TypeScript loader, and is there sooner without one.

import { parentPort, workerData } from "node:worker_threads";
import Database from "better-sqlite3";

const { file, pragmas } = workerData;
const database = new Database(file, { fileMustExist: true });
for (const pragma of pragmas) database.pragma(pragma);
/** They are few: what is done aside. @type {Map<string, Database.Statement>} */
const statements = new Map();

parentPort?.on("message", (/** @type {import("./sqlite-worker.js").Order} */ order) => {
  if ("close" in order) {
    database.close();
    parentPort?.close();
    return;
  }
  parentPort?.postMessage(run(order));
});

/** @param {{ readonly text: string, readonly parameters: readonly unknown[] }} order */
function run({ text, parameters }) {
  try {
    const statement = statements.get(text) ?? database.prepare(text);
    statements.set(text, statement);
    if (statement.reader) return { rows: statement.all(...parameters) };
    statement.run(...parameters);
    return { rows: [] };
  } catch (error) {
    const { message, code } = /** @type {Error & { code?: string }} */ (error);
    return { error: { message, code } };
  }
}
