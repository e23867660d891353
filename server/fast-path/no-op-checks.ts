// Checks that change nothing but when the device was seen, and have nothing coming: nearly every check of a fleet. One that went the
// whole way and proved to be such leaves a key (store/quiet.ts); the next with the same key is answered from it. Those that arrive
// together are stored by one statement, and none is answered before that is kept. Whatever is not certain goes the whole way.

import { hash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { CheckRequest } from "../../firmware/core/wire.js";
import { readingsIn } from "../devices/readings.js";
import type { Live } from "../events/live.js";
import type { Sighting, Store } from "../store/store.js";

/** While PostgreSQL stores one, the next is gathered. Three were not faster. */
const MAX_BATCHES_UNDER_WAY = 2;
/** Enough to begin: a statement costs as much as several of its checks. */
const MIN_BATCH_COUNT = 16;

interface Waiting {
  readonly sighting: Sighting;
  readonly resolve: (isQuiet: boolean) => void;
}

export class NoOpChecks {
  readonly #store: Store;
  readonly #live: Live;
  readonly #now: () => number;
  /**
   * By device. Every batch has a map of its own: one that names come to and go from leaves its outgrown tables behind, each of which
   * keeps the next and all that it held until memory is swept as a whole.
   */
  #waiting = new Map<string, Waiting>();
  readonly #underWay = new Map<ReadonlyMap<string, Waiting>, Promise<void>>();
  #isRunning = false;

  constructor(of: { readonly store: Store; readonly live: Live; readonly now: () => number }) {
    this.#store = of.store;
    this.#live = of.live;
    this.#now = of.now;
  }

  /** `true`: the check is answered with nothing new, and that the device was seen is stored. `false`: nothing has happened. */
  take(check: CheckRequest, noOpKey: string): Promise<boolean> {
    const { device_id: deviceId } = check;
    if (this.#isHere(deviceId)) return Promise.resolve(false);
    return new Promise((resolve) => {
      const sighting = {
        deviceId,
        noOpKey,
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

  /** Of two checks of a device at once the second goes the whole way: no two statements wait for each other's rows. */
  #isHere(deviceId: string): boolean {
    if (this.#waiting.has(deviceId)) return true;
    for (const batch of this.#underWay.keys()) if (batch.has(deviceId)) return true;
    return false;
  }

  async #runAll(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0) {
      while (this.#underWay.size >= MAX_BATCHES_UNDER_WAY) await Promise.race(this.#underWay.values());
      await this.#gather();
      const batch = this.#waiting;
      this.#waiting = new Map();
      this.#underWay.set(
        batch,
        this.#keep(batch).finally(() => this.#underWay.delete(batch)),
      );
    }
    this.#isRunning = false;
  }

  /** A commit costs as much for one as for many: as long as every turn of the loop brings more, they join. */
  async #gather(): Promise<void> {
    let count: number;
    do {
      count = this.#waiting.size;
      await nextTurn();
    } while (this.#waiting.size > count && this.#waiting.size < MIN_BATCH_COUNT);
  }

  async #keep(batch: ReadonlyMap<string, Waiting>): Promise<void> {
    const sightings = Array.from(batch.values(), ({ sighting }) => sighting);
    // A database that is in trouble says so on the whole way.
    const seen = await this.#store.seeAgain(sightings).catch(() => NOBODY);
    if (seen.size > 0 && this.#live.isWatched)
      this.#live.publish([
        { type: "seen", seen: sightings.filter(({ deviceId }) => seen.has(deviceId)).map(describe) },
      ]);
    for (const [deviceId, { resolve }] of batch) resolve(seen.has(deviceId));
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
export function noOpKeyOf(check: CheckRequest, credential: string | undefined): string {
  // With their lengths nothing that is told can look like something else. To make an object of it first takes twice as long.
  let material = credential === undefined ? "" : `${credential.length}:${credential}`;
  for (const name in check) {
    if (WRITTEN_DOWN.has(name)) continue;
    const value = check[name as keyof CheckRequest];
    material += `;${name.length}:${name}`;
    material += typeof value === "string" ? `${value.length}:${value}` : `=${JSON.stringify(value)}`;
  }
  return hash("sha256", material, "base64url");
}

const WRITTEN_DOWN: ReadonlySet<string> = new Set<keyof CheckRequest>([
  "free_heap",
  "rssi",
  "uptime_seconds",
  "temperature_c",
  "humidity_percent",
  "battery_percent",
]);
