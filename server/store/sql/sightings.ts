// Sightings of devices whose check changed nothing else, many in one statement.
//
// PostgreSQL writes them to the devices' rows. In SQLite each of these rows would cost two pages of 4096 bytes (the row's and the
// index's) in the log and again in the file; so sightings are appended to a table of their own, some hundred a page, and carried
// over to the rows later, many at a time, and before anybody reads them. What was appended is on the disk: a server that is killed
// carries it over when it starts again.
//
//   seeAgain ──▶ device_sightings ──carryOver──▶ devices        before a read, a transaction about the device, or when many wait

import { setImmediate as breathe } from "node:timers/promises";
import { type Generated, type Kysely, sql } from "kysely";
import type { Sighting } from "../quiet.js";
import { readingsText } from "./devices.js";
import { fleetRevision } from "./quiet.js";
import type { Tables } from "./tables.js";

export interface SightingTable {
  id: Generated<number>;
  device_id: string;
  seen_at: number;
  free_heap: number | null;
  rssi: number | null;
  uptime_seconds: number | null;
  readings: string | null;
}

/** So many wait at most before they are carried over: some 100 bytes of memory each. */
const MAX_WAITING_COUNT = 16_384;
/** Carried over without a pause: other requests wait for some 20 ms. */
const PIECE_LENGTH = 2000;

export type Atomically = (work: (db: Kysely<Tables>) => Promise<unknown>) => Promise<unknown>;

export interface Sightings {
  seeAgain(sightings: readonly Sighting[]): Promise<ReadonlySet<string>>;
  /** Whether the row of a device, or without a name the row of any, is behind what was seen. */
  isBehind(deviceId?: string): boolean;
  /** Brings every row up to what was seen before the call. */
  carryOver(): Promise<void>;
}

/** Writes to the rows at once. The statement takes what others have committed meanwhile into account. */
export function directSightings(db: Kysely<Tables>): Sightings {
  return {
    async seeAgain(sightings) {
      const { rows } = await sql<{ id: string }>`
        update devices set last_seen = s.t, free_heap = s.h, rssi = s.r, uptime_seconds = s.u,
          readings = s.x
        from (select v->>0 as i, v->>1 as k, (v->>2)::bigint as t, (v->>3)::bigint as h, (v->>4)::bigint as r,
          (v->>5)::double precision as u, v->>6 as x
          from json_array_elements(${JSON.stringify(sightings.map(toList))}::json) as v) as s
        where devices.id = s.i and devices.quiet_key = s.k and devices.quiet_revision = ${fleetRevision}
        returning devices.id`.execute(db);
      return new Set(rows.map(({ id }) => id));
    },
    isBehind: () => false,
    carryOver: async () => {},
  };
}

export class CollectedSightings implements Sightings {
  readonly #db: Kysely<Tables>;
  readonly #atomically: Atomically;
  /** Devices whose rows are behind, and those of them that are being carried over. */
  #waiting = new Set<string>();
  #moving = new Set<string>();
  #running: Promise<void> | undefined;

  constructor(db: Kysely<Tables>, atomically: Atomically) {
    this.#db = db;
    this.#atomically = atomically;
  }

  async seeAgain(sightings: readonly Sighting[]): Promise<ReadonlySet<string>> {
    // A cross join keeps SQLite from going through the devices instead of the sightings.
    const { rows } = await sql<{ id: string }>`
      insert into device_sightings (device_id, seen_at, free_heap, rssi, uptime_seconds, readings)
      select s.i, s.t, s.h, s.r, s.u, s.x
      from (select value->>0 as i, value->>1 as k, value->>2 as t, value->>3 as h, value->>4 as r, value->>5 as u, value->>6 as x
        from json_each(${JSON.stringify(sightings.map(toList))})) as s
      cross join devices on devices.id = s.i and devices.quiet_key = s.k
        and devices.quiet_revision = ${fleetRevision}
      where true
      returning device_id as id`.execute(this.#db);
    for (const { id } of rows) this.#waiting.add(id);
    // Whoever waits for the rows hears of a failure; the next to come tries again.
    if (this.#waiting.size >= MAX_WAITING_COUNT && !this.#running) this.#begin().catch(() => {});
    return new Set(rows.map(({ id }) => id));
  }

  isBehind(deviceId?: string): boolean {
    if (deviceId === undefined) return this.#waiting.size + this.#moving.size > 0;
    return this.#waiting.has(deviceId) || this.#moving.has(deviceId);
  }

  async carryOver(): Promise<void> {
    // One that has begun already may lack what was seen since.
    if (this.#running) await this.#running;
    if (!this.#running && this.#waiting.size > 0) this.#begin();
    await this.#running;
  }

  #begin(): Promise<void> {
    this.#moving = this.#waiting;
    this.#waiting = new Set();
    this.#running = carryOverAll(this.#db, this.#atomically)
      .catch((error) => {
        for (const id of this.#moving) this.#waiting.add(id);
        throw error;
      })
      .finally(() => {
        this.#moving = new Set();
        this.#running = undefined;
      });
    return this.#running;
  }
}

/** Everything that was appended until now: also what a server that was killed has left, or an import brought. */
export async function carryOverAll(db: Kysely<Tables>, atomically: Atomically): Promise<void> {
  const bounds = await sql<{ first: number | null; last: number | null }>`
    select min(id) as first, max(id) as last from device_sightings`.execute(db);
  const { first, last } = bounds.rows[0] ?? { first: null, last: null };
  if (first === null || last === null) return;
  for (let start = first; start <= last; start += PIECE_LENGTH) {
    await atomically((inside) => carryOverPiece(inside, Math.min(start + PIECE_LENGTH - 1, last)));
    await breathe();
  }
}

/** Of a device that was seen twice the later counts; a row that is newer already stays. */
async function carryOverPiece(db: Kysely<Tables>, lastId: number): Promise<void> {
  await sql`
    update devices set last_seen = s.seen_at, free_heap = s.free_heap, rssi = s.rssi, uptime_seconds = s.uptime_seconds,
      readings = s.readings
    from device_sightings as s
    where devices.id = s.device_id and devices.last_seen <= s.seen_at
      and s.id in (select max(id) from device_sightings where id <= ${lastId} group by device_id)`.execute(
    db,
  );
  await db.deleteFrom("device_sightings").where("id", "<=", lastId).execute();
}

const toList = ({ deviceId, quietKey, seenAt, freeHeap, rssi, uptimeSeconds, readings }: Sighting) => [
  deviceId,
  quietKey,
  seenAt,
  freeHeap,
  rssi,
  uptimeSeconds,
  readingsText(readings),
];
