// Sightings of devices whose check changed nothing else, many in one statement.
//
// PostgreSQL writes them to the devices' rows. In SQLite each of these rows would cost a page of 4096 bytes in the log and again in
// the file; so sightings are appended to a table of their own, some hundred a page, and carried over to the rows later, many at a
// time, and before anybody reads them. What was appended is in the file: a server that is killed carries it over when it starts
// again. To append takes some microseconds, less than to have it done by another thread; carrying over has a thread of its own.
//
//   seeAgain ──▶ device_sightings ──carryOver──▶ devices        before a read, a transaction about the device, or when many wait

import { CompiledQuery, type Kysely, sql } from "kysely";
import type { Sighting } from "../no-op-checks.js";
import type { OwnTurns } from "./database.js";
import { readingsText } from "./devices.js";
import { FLEET_REVISION, fleetRevision } from "./no-op-checks.js";
import type { Tables } from "./tables.js";

/**
 * So many are appended at most before they are carried over: 20 MB of the file, 100 bytes of memory for each device. It takes 1 to
 * 2 µs for each of them, and 3 µs for each device: of those that were seen again meanwhile only the last sighting is written.
 */
const MAX_WAITING_COUNT = 262_144;
/** Carried over without a pause: other requests for the database, and the next checks, wait for some 8 ms. */
const PIECE_LENGTH = 2000;

export interface Sightings {
  seeAgain(sightings: readonly Sighting[]): Promise<ReadonlySet<string>>;
  /** Whether the row of a device, or without a name the row of any, is behind what was seen. */
  isBehind(deviceId?: string): boolean;
  /** Brings every row up to what was seen before the call, and up to what was appended before the store was opened. */
  carryOver(): Promise<void>;
}

/** A row that is newer already stays. */
const seen = sql.raw(
  "last_seen = s.seen_at, free_heap = s.free_heap, rssi = s.rssi, uptime_seconds = s.uptime_seconds, readings = s.readings",
);

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
    /** An import may have brought what a SQLite store had appended. */
    carryOver: () =>
      db.transaction().execute(async (inside) => {
        await sql`
          update devices set ${seen} from device_sightings as s
          where devices.id = s.device_id and devices.last_seen <= s.seen_at
            and s.id in (select max(id) from device_sightings group by device_id)`.execute(inside);
        await inside.deleteFrom("device_sightings").execute();
      }),
  };
}

export class CollectedSightings implements Sightings {
  readonly #own: OwnTurns;
  readonly #maxWaitingCount: number;
  /** Devices whose rows are behind, and those of them that are being carried over. */
  #waiting = new Set<string>();
  #moving = new Set<string>();
  /** Since the last carrying over began. */
  #appendedCount = 0;
  #running: Promise<void> | undefined;

  constructor(own: OwnTurns, maxWaitingCount = MAX_WAITING_COUNT) {
    this.#own = own;
    this.#maxWaitingCount = maxWaitingCount;
  }

  async seeAgain(sightings: readonly Sighting[]): Promise<ReadonlySet<string>> {
    const ids = await this.#own.unsynced((db) => append(db, sightings));
    for (const id of ids) this.#waiting.add(id);
    // Whoever waits for the rows hears of a failure; the next to come tries again.
    this.#appendedCount += ids.length;
    if (this.#appendedCount >= this.#maxWaitingCount && !this.#running) this.#begin().catch(() => {});
    return new Set(ids);
  }

  isBehind(deviceId?: string): boolean {
    if (deviceId === undefined) return this.#waiting.size + this.#moving.size > 0;
    return this.#waiting.has(deviceId) || this.#moving.has(deviceId);
  }

  async carryOver(): Promise<void> {
    // One that has begun already may lack what was seen since.
    if (this.#running) await this.#running;
    if (!this.#running) this.#begin();
    await this.#running;
  }

  #begin(): Promise<void> {
    this.#appendedCount = 0;
    this.#moving = this.#waiting;
    this.#waiting = new Set();
    this.#running = this.#carryOverAll()
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

  /** What was appended goes last: to carry it over twice does no harm. */
  async #carryOverAll(): Promise<void> {
    const last = await this.#own.worker(lastOf);
    if (last === null) return;
    await this.#own.worker((db) => db.executeQuery(CompiledQuery.raw(LATEST_TABLE)));
    await this.#own.worker((db) => db.executeQuery(CompiledQuery.raw("delete from temp.latest_sightings")));
    for (let id = await this.#own.worker(firstOf); id <= last; id += PIECE_LENGTH)
      await this.#own.worker((db) => collect(db, id, Math.min(last, id + PIECE_LENGTH - 1)));
    let device = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const start = device;
      const end = await this.#own.worker((db) => endOfPiece(db, start));
      if (end === null) break;
      await this.#own.worker((db) => carryOverPiece(db, start, end));
      device = end;
    }
    await this.#own.worker((db) => db.deleteFrom("device_sightings").where("id", "<=", last).execute());
  }
}

/** The id of what was appended last; null: nothing waits. */
export async function lastOf(db: Kysely<Tables>): Promise<number | null> {
  const { rows } = await sql<{ last: number | null }>`select max(id) as last from device_sightings`.execute(
    db,
  );
  return rows[0]?.last ?? null;
}

async function firstOf(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ first: number | null }>`select min(id) as first from device_sightings`.execute(
    db,
  );
  return rows[0]?.first ?? 0;
}

/** @returns the devices whose key is still good */
async function append(db: Kysely<Tables>, sightings: readonly Sighting[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let at = 0; at < sightings.length; at += MAX_APPENDED_COUNT)
    ids.push(...(await appendSome(db, sightings.slice(at, at + MAX_APPENDED_COUNT))));
  return ids;
}

async function appendSome(db: Kysely<Tables>, sightings: readonly Sighting[]): Promise<readonly string[]> {
  const { numAffectedRows: count = 0n, insertId: last = 0n } = await db.executeQuery(
    CompiledQuery.raw(appendText(sightings.length), sightings.flatMap(toList)),
  );
  // Nearly always all of them.
  if (Number(count) === sightings.length) return sightings.map(({ deviceId }) => deviceId);
  const { rows } = await sql<{ id: string }>`
    select device_id as id from device_sightings where id > ${last - count} and id <= ${last}`.execute(db);
  return rows.map(({ id }) => id);
}

/** By one statement: for every number of sightings there is one that is compiled already. */
const MAX_APPENDED_COUNT = 64;
const appendTexts: string[] = [];

/** A cross join keeps SQLite from going through the devices instead of the sightings. */
function appendText(count: number): string {
  appendTexts[count] ??= `
    insert into device_sightings (device_id, seen_at, free_heap, rssi, uptime_seconds, readings)
    select s.column1, s.column3, s.column4, s.column5, s.column6, s.column7
    from (values ${Array(count).fill("(?, ?, ?, ?, ?, ?, ?)").join(", ")}) as s
    cross join devices on devices.id = s.column1 and devices.quiet_key = s.column2
      and devices.quiet_revision = ${FLEET_REVISION}`;
  return appendTexts[count];
}

/**
 * Of each device the latest, in the order in which the devices' rows lie in the file: those that follow each other lie on few pages.
 * The table is this connection's alone.
 */
const LATEST_TABLE = `
  create temp table if not exists latest_sightings (device integer primary key, sighting integer not null)`;
async function collect(db: Kysely<Tables>, first: number, last: number): Promise<void> {
  await sql`
    insert or replace into temp.latest_sightings
    select devices.rowid, s.id from device_sightings as s cross join devices on devices.id = s.device_id
    where s.id between ${first} and ${last} order by s.id`.execute(db);
}

/** @returns the last device of the next piece; null: there is none after this one */
async function endOfPiece(db: Kysely<Tables>, after: number): Promise<number | null> {
  const { rows } = await sql<{ device: number | null }>`
    select max(device) as device
    from (select device from temp.latest_sightings where device > ${after} order by device limit ${PIECE_LENGTH})`.execute(
    db,
  );
  return rows[0]?.device ?? null;
}

/** The row of a device that has gone meanwhile may be another's now. */
async function carryOverPiece(db: Kysely<Tables>, after: number, end: number): Promise<void> {
  await sql`
    update devices set ${seen}
    from temp.latest_sightings as l cross join device_sightings as s on s.id = l.sighting
    where l.device > ${after} and l.device <= ${end} and devices.rowid = l.device and devices.id = s.device_id
      and devices.last_seen <= s.seen_at`.execute(db);
}

const toList = ({ deviceId, noOpKey, seenAt, freeHeap, rssi, uptimeSeconds, readings }: Sighting) => [
  deviceId,
  noOpKey,
  seenAt,
  freeHeap,
  rssi,
  uptimeSeconds,
  readingsText(readings),
];
