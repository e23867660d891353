// Transactions of one SQLite file in groups. Of a commit nearly all the time is spent on waiting for the disk; transactions that
// come while others are at work are kept by one commit together, each inside a savepoint of its own. None of them resolves
// before that commit is on the disk.
//
//   begin ─ savepoint ─ work 1 ─ release ─ savepoint ─ work 2 fails ─ roll back to it ─ … ─ commit ─▶ all hear of it

import { setImmediate as nextTurn } from "node:timers/promises";
import type { ControlledTransaction, Kysely } from "kysely";

type Work<Tables, Result> = (db: Kysely<Tables>) => Promise<Result>;

interface Job<Tables> {
  readonly work: Work<Tables, unknown>;
  readonly resolve: (result: never) => void;
  readonly reject: (error: unknown) => void;
}

/** So that the first of a group does not wait for too many others. */
const MAX_GROUP_SIZE = 256;
const SAVEPOINT = "one_of_a_group";

export class TransactionGroups<Tables> {
  readonly #db: Kysely<Tables>;
  readonly #onRollback: () => void;
  #waiting: Job<Tables>[] = [];
  #isRunning = false;

  /** @param onRollback none of a group was kept, though each may have seen what those before it have done */
  constructor(db: Kysely<Tables>, onRollback: () => void) {
    this.#db = db;
    this.#onRollback = onRollback;
  }

  run<Result>(work: Work<Tables, Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ work, resolve, reject });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      // Requests that have arrived already are read in this turn of the loop: they join.
      await nextTurn();
      await this.#runGroup(this.#waiting.splice(0, MAX_GROUP_SIZE));
    }
    this.#isRunning = false;
  }

  async #runGroup(jobs: readonly Job<Tables>[]): Promise<void> {
    const kept: (() => void)[] = [];
    let transaction: ControlledTransaction<Tables> | undefined;
    try {
      transaction = await this.#db.startTransaction().execute();
      for (const job of jobs) await runJob(transaction, job, kept);
      await transaction.commit().execute();
      for (const tell of kept) tell();
    } catch (error) {
      await transaction
        ?.rollback()
        .execute()
        .catch(() => {});
      this.#onRollback();
      // Those that failed by themselves have heard of it: a promise settles once.
      for (const { reject } of jobs) reject(error);
    }
  }
}

async function runJob<Tables>(
  transaction: ControlledTransaction<Tables>,
  { work, resolve, reject }: Job<Tables>,
  kept: (() => void)[],
): Promise<void> {
  const inside = await transaction.savepoint(SAVEPOINT).execute();
  try {
    const result = await work(inside);
    await inside.releaseSavepoint(SAVEPOINT).execute();
    kept.push(() => resolve(result as never));
  } catch (error) {
    await inside.rollbackToSavepoint(SAVEPOINT).execute();
    await inside.releaseSavepoint(SAVEPOINT).execute();
    reject(error);
  }
}
