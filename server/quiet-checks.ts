// Checks that change nothing but when the device was seen, and have nothing coming: nearly every check of a fleet. One that went the
// whole way and proved to be such leaves a key (store/quiet.ts); the next with the same key is answered from it. Those that arrive
// together are stored by one statement, and none is answered before that is kept. Whatever is not certain goes the whole way.

import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { CheckRequest } from "../firmware/core/wire.js";
import type { Live } from "./live.js";
import { readingsIn } from "./readings.js";
import type { Sighting, Store } from "./store/store.js";

/** What one statement stores at most. */
const MAX_BATCH_COUNT = 512;

interface Waiting {
  readonly sighting: Sighting;
  readonly resolve: (isQuiet: boolean) => void;
}

export class QuietChecks {
  readonly #store: Store;
  readonly #live: Live;
  readonly #now: () => number;
  /**
   * By device: of two checks at once the second goes the whole way. Every batch has a map of its own: one that names come to and go
   * from leaves its outgrown tables behind, each of which keeps the next and all that it held until memory is swept as a whole.
   */
  #waiting = new Map<string, Waiting>();
  #isRunning = false;

  constructor(of: { readonly store: Store; readonly live: Live; readonly now: () => number }) {
    this.#store = of.store;
    this.#live = of.live;
    this.#now = of.now;
  }

  /** `true`: the check is answered with nothing new, and that the device was seen is stored. `false`: nothing has happened. */
  take(check: CheckRequest, quietKey: string): Promise<boolean> {
    const { device_id: deviceId } = check;
    if (this.#waiting.has(deviceId)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const sighting = {
        deviceId,
        quietKey,
        seenAt: Math.round(this.#now()),
        freeHeap: check.free_heap ?? null,
        rssi: check.rssi ?? null,
        uptimeSeconds: check.uptime_seconds ?? null,
        readings: readingsIn(check),
      };
      this.#waiting.set(deviceId, { sighting, resolve });
      if (!this.#isRunning) void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0) {
      await this.#gather();
      const all = [...this.#waiting.values()];
      this.#waiting = new Map();
      for (let start = 0; start < all.length; start += MAX_BATCH_COUNT)
        await this.#keep(all.slice(start, start + MAX_BATCH_COUNT));
    }
    this.#isRunning = false;
  }

  /** A commit costs as much for one as for many: as long as every turn of the loop brings more, they join. */
  async #gather(): Promise<void> {
    let count: number;
    do {
      count = this.#waiting.size;
      await nextTurn();
    } while (this.#waiting.size > count && this.#waiting.size < MAX_BATCH_COUNT);
  }

  async #keep(batch: readonly Waiting[]): Promise<void> {
    const sightings = batch.map(({ sighting }) => sighting);
    // A database that is in trouble says so on the whole way.
    const seen = await this.#store.seeAgain(sightings).catch(() => NOBODY);
    if (seen.size > 0 && this.#live.isWatched)
      this.#live.publish([
        { type: "seen", seen: sightings.filter(({ deviceId }) => seen.has(deviceId)).map(describe) },
      ]);
    for (const { sighting, resolve } of batch) resolve(seen.has(sighting.deviceId));
  }
}

const NOBODY: ReadonlySet<string> = new Set();

const describe = ({ deviceId, seenAt, freeHeap, rssi, uptimeSeconds, readings }: Sighting) => ({
  id: deviceId,
  lastSeen: seenAt,
  freeHeap,
  rssi,
  uptimeSeconds,
  readings,
});

/**
 * Of everything in a request that an answer or a record may depend on, the device's token included; not of what only is written
 * down. A field that is not known here counts: better a check too many that goes the whole way.
 */
export function quietKeyOf(check: CheckRequest, credential: string | undefined): string {
  const {
    free_heap: _heap,
    rssi: _rssi,
    uptime_seconds: _uptime,
    temperature_c: _temperature,
    humidity_percent: _humidity,
    battery_percent: _battery,
    ...material
  } = check;
  return hash("sha256", JSON.stringify([credential ?? null, material]), "base64url");
}
