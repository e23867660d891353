// The store on any SQL database: its parts, and transactions.

import { setTimeout as sleep } from "node:timers/promises";
import type { Kysely } from "kysely";
import { Mutex } from "../../shared/mutex.js";
import { DatabaseBusy, DatabaseLost } from "../errors.js";
import type { ExclusiveWork, Store, StoreParts } from "../store.js";
import type { SqlDatabase } from "./database.js";
import { FleetFacts } from "./fleet-facts.js";
import { Floor } from "./floor.js";
import { TransactionGroups } from "./groups.js";
import { AppendedLastSeen, directLastSeen, type LastSeen, lastOf } from "./last-seen.js";
import { createParts, partsOnDemand } from "./parts.js";
import type { Tables } from "./tables.js";

/** Runs of a transaction that others keep setting back: with the pauses between them some ten seconds. */
const MAX_RUN_COUNT = 60;
/** After so many it has the floor: long ones would never end among many short ones. */
const MAX_RUN_COUNT_BESIDE_OTHERS = 5;
/** A database that is away may take long to say so: after this none is begun again. It restarts in a second or two. */
const MAX_RUNS_MS = 10_000;
const MAX_PAUSE_MS = 200;

export interface StoreOptions {
  /** Updates of when devices were last seen that are appended before they are applied (last-seen.ts); absent: as many as are fastest. */
  readonly maxPendingCount?: number;
  /** Runs of a transaction that others keep setting back, before it is refused. */
  readonly maxRunCount?: number;
}

/** @param database its tables are up to date */
export async function createSqlStore(database: SqlDatabase, options: StoreOptions = {}): Promise<Store> {
  const { db, dialect, own, reader } = database;
  const queues = new Queues();
  // Of one process only one connection waits for a lock, so that there are others left to work with.
  const locks = new Queues();
  const { sharedLock } = dialect;
  const facts = new FleetFacts();
  const groups = new TransactionGroups(db, () => facts.clear());
  const floor = new Floor();
  const { maxRunCount = MAX_RUN_COUNT } = options;
  const storeOf = partsOnDemand(db, dialect, UNNESTABLE);
  const runOnce = <Result>(work: (store: Store) => Promise<Result>): Promise<Result> => {
    const inside = (transaction: Kysely<Tables>) => {
      facts.begin(transaction);
      return work(storeOf(transaction));
    };
    // SQLite lets one transaction run at a time anyway.
    return dialect.name === "sqlite"
      ? groups.run(inside)
      : db.transaction().setIsolationLevel("serializable").execute(inside);
  };

  const repeat = async <Result>(attempt: () => Promise<Result>, runs: Runs): Promise<Result> => {
    for (;;) {
      runs.count++;
      try {
        return await attempt();
      } catch (error) {
        if (!dialect.isSetBack(error)) throw error;
        const isLost = error instanceof DatabaseLost;
        const isLate = isLost && performance.now() - runs.startedAt > MAX_RUNS_MS;
        if (isLate || runs.count >= maxRunCount) throw isLost ? error : new DatabaseBusy(error);
        // a database that is away is no reason to let others wait
        if (runs.count >= runs.mostBeside && !isLost)
          return floor.take(() => repeat(attempt, { ...runs, mostBeside: Number.POSITIVE_INFINITY }));
        await sleep(Math.random() * Math.min(MAX_PAUSE_MS, 2 ** runs.count));
      }
    }
  };
  const newRuns = (mostBeside: number): Runs => ({ count: 0, startedAt: performance.now(), mostBeside });
  const run = async <Result>(work: (store: Store) => Promise<Result>) => {
    await floor.isFree();
    return repeat(() => runOnce(work), newRuns(MAX_RUN_COUNT_BESIDE_OTHERS));
  };

  const holding = async <Result>(
    lock: NonNullable<typeof sharedLock>,
    name: string,
    work: ExclusiveWork<Result>,
  ): Promise<Result> => {
    // only what comes before the work is repeated
    const outcome = await repeat(
      () =>
        db.connection().execute(async (connection) => {
          await lock.take(connection, name);
          const result = await settled(work(() => lock.confirm(connection)));
          // if the lock was lost, others may have worked at the same time
          const given = await settled(lock.give(connection, name));
          return "error" in result || !("error" in given) ? result : given;
        }),
      // its work has transactions: with the floor it would wait for itself
      newRuns(Number.POSITIVE_INFINITY),
    );
    if ("error" in outcome) throw outcome.error;
    return outcome.value as Result;
  };

  const direct = createParts(db, dialect);
  const parts = reader ? { ...direct, ...wholeFleetOf(createParts(reader, dialect)) } : direct;
  const lastSeen: LastSeen = own ? new AppendedLastSeen(own, options.maxPendingCount) : directLastSeen(db);
  // What a server that was killed has left, or an import brought.
  if ((await lastOf(db)) !== null) await lastSeen.apply();

  return {
    ...parts,
    ...readAfter(lastSeen, parts),
    updateLastSeen: (updates) => lastSeen.update(updates),
    async transaction(work, options) {
      const { about } = options ?? {};
      const deviceId = about?.startsWith(ABOUT_DEVICE) ? about.slice(ABOUT_DEVICE.length) : undefined;
      if (lastSeen.isPending(deviceId)) await lastSeen.apply();
      return about === undefined ? run(work) : queues.run(about, () => run(work));
    },
    exclusive: (name, work) =>
      locks.run(name, () => (sharedLock ? holding(sharedLock, name, work) : work(async () => {}))),
    async close() {
      // What cannot be applied now is applied when the store is opened again.
      if (lastSeen.isPending()) await lastSeen.apply().catch(() => {});
      await db.destroy();
    },
  };
}

/** Of one transaction. */
interface Runs {
  count: number;
  /** By performance.now(). */
  readonly startedAt: number;
  /** So many run beside others; the next ones have the floor. */
  readonly mostBeside: number;
}

type Settled<Value> = { readonly value: Value } | { readonly error: unknown };

const settled = <Value>(work: Promise<Value>): Promise<Settled<Value>> =>
  work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );

/** What goes through all devices: of 100 000 that takes a tenth of a second. */
const wholeFleetOf = (parts: StoreParts) =>
  ({
    listDevices: parts.listDevices,
    listDeviceIds: parts.listDeviceIds,
    countStatuses: parts.countStatuses,
    countDevicesSeenSince: parts.countDevicesSeenSince,
    countVersions: parts.countVersions,
    countLabels: parts.countLabels,
    countUnvouched: parts.countUnvouched,
    listMembers: parts.listMembers,
    tallyRollout: parts.tallyRollout,
    listRolledBack: parts.listRolledBack,
  }) satisfies Partial<StoreParts>;

/** What reads when devices were seen, after it is known. */
function readAfter(lastSeen: LastSeen, parts: StoreParts) {
  const after =
    <Args extends readonly unknown[], Result>(read: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      if (lastSeen.isPending()) await lastSeen.apply();
      return read(...args);
    };
  return {
    findDevice: async (id: string) => {
      if (lastSeen.isPending(id)) await lastSeen.apply();
      return parts.findDevice(id);
    },
    listDevices: after(parts.listDevices),
    listDeviceIds: after(parts.listDeviceIds),
    countStatuses: after(parts.countStatuses),
    countDevicesSeenSince: after(parts.countDevicesSeenSince),
    pullBackTimes: after(parts.pullBackTimes),
    sampleReadings: after(parts.sampleReadings),
    tallyRollout: after(parts.tallyRollout),
  } satisfies Partial<StoreParts>;
}

/** What transactions about one device say they are about begins so. */
const ABOUT_DEVICE = "device:";

const UNNESTABLE: Omit<Store, keyof StoreParts> = {
  updateLastSeen: () => Promise.reject(new Error("updateLastSeen inside a transaction is not possible")),
  transaction: () => Promise.reject(new Error("a transaction inside a transaction is not possible")),
  exclusive: () => Promise.reject(new Error("exclusive work inside a transaction is not possible")),
  close: () => Promise.reject(new Error("a store is not closed inside a transaction")),
};

/** One queue for each name that work is waiting for. */
class Queues {
  readonly #queues = new Map<string, { readonly turns: Mutex; waitingCount: number }>();

  async run<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const queue = this.#queues.get(name) ?? { turns: new Mutex(), waitingCount: 0 };
    this.#queues.set(name, queue);
    queue.waitingCount++;
    try {
      return await queue.turns.run(work);
    } finally {
      queue.waitingCount--;
      if (queue.waitingCount === 0) this.#queues.delete(name);
    }
  }
}
