// A second connection to a SQLite file, in a thread that begins with the first statement. To Kysely it is a database like any other.

import { once } from "node:events";
import { Worker } from "node:worker_threads";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import type { Tables } from "./tables.js";

/** Messages to the thread. */
export type Order =
  | { readonly text: string; readonly parameters: readonly unknown[] }
  | { readonly close: true };
type Answer =
  | { readonly rows: readonly unknown[] }
  | { readonly error: { readonly message: string; readonly code?: string } };

interface Waiting {
  readonly resolve: (rows: readonly unknown[]) => void;
  readonly reject: (error: Error) => void;
}

/** @param pragmas of the connection, such as `synchronous = NORMAL` */
export function openWorker(file: string, pragmas: readonly string[]): Kysely<Tables> {
  return new Kysely<Tables>({
    dialect: {
      createDriver: () => new ThreadDriver(file, pragmas),
      createAdapter: () => new SqliteAdapter(),
      createIntrospector: (db) => new SqliteIntrospector(db),
      createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
}

class ThreadDriver implements Driver {
  readonly #file: string;
  readonly #pragmas: readonly string[];
  /** In the order of the messages: the thread answers in the same order. */
  readonly #waiting: Waiting[] = [];
  #worker: Worker | undefined;

  constructor(file: string, pragmas: readonly string[]) {
    this.#file = file;
    this.#pragmas = pragmas;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return {
      executeQuery: async <Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> => ({
        rows: (await this.#execute(sql, parameters)) as Row[],
      }),
      streamQuery: () => {
        throw new Error("the worker streams nothing");
      },
    };
  }

  async releaseConnection(): Promise<void> {}

  beginTransaction = noTransaction;
  commitTransaction = noTransaction;
  rollbackTransaction = noTransaction;

  async destroy(): Promise<void> {
    const worker = this.#worker;
    if (worker === undefined) return;
    // The process waits for it: what it holds of the file is released.
    worker.ref();
    const ended = once(worker, "exit");
    worker.postMessage({ close: true } satisfies Order);
    await ended;
  }

  #execute(text: string, parameters: readonly unknown[]): Promise<readonly unknown[]> {
    this.#worker ??= this.#start();
    const answer = new Promise<readonly unknown[]>((resolve, reject) =>
      this.#waiting.push({ resolve, reject }),
    );
    this.#worker.ref();
    this.#worker.postMessage({ text, parameters } satisfies Order);
    return answer;
  }

  #start(): Worker {
    const workerData = { file: this.#file, pragmas: this.#pragmas };
    const worker = new Worker(new URL("./sqlite-thread.js", import.meta.url), { workerData, execArgv: [] });
    worker.on("message", (answer: Answer) => this.#take(answer));
    worker.on("error", (error) => {
      // The caller may have a fallback; that the thread is gone is reported all the same.
      process.emitWarning(`the thread of ${this.#file} has ended: ${error.message}`);
      this.#fail(error);
    });
    worker.on("exit", () => {
      this.#worker = undefined;
      this.#fail(new Error("the thread of the database has ended"));
    });
    return worker;
  }

  #take(answer: Answer): void {
    const waiting = this.#waiting.shift();
    // It alone does not keep the process alive.
    if (this.#waiting.length === 0) this.#worker?.unref();
    if ("rows" in answer) waiting?.resolve(answer.rows);
    else waiting?.reject(Object.assign(new Error(answer.error.message), { code: answer.error.code }));
  }

  /** Whether those under way were committed is unknown. */
  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

const noTransaction = (): Promise<never> =>
  Promise.reject(new Error("every statement of the worker is a transaction of its own"));
