// Batches no-op checks: those that arrive together are stored by one statement, and each is answered after its batch is committed.
// Whether a check is a no-op, the store says: its key is the one that the full path left at the device (store/no-op-checks.ts).

import { setImmediate as nextTurn } from "node:timers/promises";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { readingsIn } from "../devices/readings.js";
import type { Live } from "../events/live.js";
import type { LastSeenUpdate, Store } from "../store/store.js";

/** While PostgreSQL stores one, the next is gathered. Three were not faster. */
const MAX_RUNNING_BATCHES = 2;
/** A batch of this size is stored at once: a statement costs as much as several of its checks. */
const MIN_BATCH_COUNT = 16;

interface Waiting {
  readonly update: LastSeenUpdate;
  readonly resolve: (isNoOp: boolean) => void;
}
/** By device. */
type Batch = ReadonlyMap<string, Waiting>;

export class NoOpChecks {
  readonly #store: Pick<Store, "updateLastSeen">;
  readonly #live: Live;
  readonly #now: () => number;
  /**
   * Every batch has a map of its own: one that names come to and go from leaves its outgrown tables behind, each of which keeps the
   * next and all that it held until memory is swept as a whole.
   */
  #waiting = new Map<string, Waiting>();
  readonly #running = new Map<Batch, Promise<void>>();
  #isRunning = false;

  constructor(of: {
    readonly store: Pick<Store, "updateLastSeen">;
    readonly live: Live;
    readonly now: () => number;
  }) {
    this.#store = of.store;
    this.#live = of.live;
    this.#now = of.now;
  }

  /** `true`: the key is still good, and that the device was seen is stored. `false`: nothing was done. Never rejects. */
  take(check: CheckRequest, noOpKey: string): Promise<boolean> {
    const { device_id: deviceId } = check;
    if (this.#isWaiting(deviceId)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const update = {
        deviceId,
        noOpKey,
        seenAt: Math.round(this.#now()),
        freeHeap: check.free_heap ?? null,
        rssi: check.rssi ?? null,
        uptimeSeconds: check.uptime_seconds ?? null,
        readings: readingsIn(check),
      };
      this.#waiting.set(deviceId, { update, resolve });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  /** The second of two simultaneous checks of a device takes the full path: no two statements wait for each other's rows. */
  #isWaiting(deviceId: string): boolean {
    if (this.#waiting.has(deviceId)) return true;
    for (const batch of this.#running.keys()) if (batch.has(deviceId)) return true;
    return false;
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0) {
      while (this.#running.size >= MAX_RUNNING_BATCHES) await Promise.race(this.#running.values());
      await this.#gather();
      const batch = this.#waiting;
      this.#waiting = new Map();
      this.#running.set(
        batch,
        this.#save(batch).finally(() => this.#running.delete(batch)),
      );
    }
    this.#isRunning = false;
  }

  /** A commit costs as much for one as for many: as long as every turn of the event loop brings more, they join. */
  async #gather(): Promise<void> {
    let count: number;
    do {
      count = this.#waiting.size;
      await nextTurn();
    } while (this.#waiting.size > count && this.#waiting.size < MIN_BATCH_COUNT);
  }

  async #save(batch: Batch): Promise<void> {
    const updates = Array.from(batch.values(), ({ update }) => update);
    // A failing database is reported by the full path.
    const seen = await this.#store.updateLastSeen(updates).catch(() => NONE);
    if (seen.size > 0 && this.#live.isWatched)
      this.#live.publish([
        { type: "seen", seen: updates.filter(({ deviceId }) => seen.has(deviceId)).map(describe) },
      ]);
    for (const [deviceId, { resolve }] of batch) resolve(seen.has(deviceId));
  }
}

const NONE: ReadonlySet<string> = new Set();

const describe = ({ deviceId, seenAt, freeHeap, rssi, uptimeSeconds, readings }: LastSeenUpdate) => ({
  id: deviceId,
  lastSeen: seenAt,
  freeHeap,
  rssi,
  uptimeSeconds,
  readings,
});
