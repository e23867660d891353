// When devices were last seen, of no-op checks, many in one statement.
//
// PostgreSQL writes to the devices' rows at once. In SQLite each of these rows would cost a page of 4096 bytes in the log and again in
// the file; so updates are appended to a table of their own (device_sightings), some hundred a page, and applied to the rows later,
// many at a time, and before anything reads them. What was appended is in the file: a server that is killed applies it when it starts
// again. Appending takes some microseconds, less than handing it to another thread; applying has a thread of its own.
//
//   updateLastSeen ──▶ device_sightings ──apply──▶ devices        before a read, a transaction about the device, or when many wait

import { CompiledQuery, type Kysely, sql } from "kysely";
import type { LastSeenUpdate } from "../no-op-checks.js";
import type { OwnTurns } from "./database.js";
import { readingsText } from "./devices.js";
import { FLEET_REVISION, fleetRevision } from "./no-op-checks.js";
import type { Tables } from "./tables.js";

/**
 * Updates that are appended before they are applied: 20 MB of the file, 100 bytes of memory for each device. Applying takes 1 to 2 µs
 * for each update, and 3 µs for each device: only the last update of a device is written.
 */
const MAX_PENDING_COUNT = 262_144;
/** Applied without a pause: other requests for the database, and the next checks, wait for some 8 ms. */
const PIECE_LENGTH = 2000;

/** A check overtakes another one by far less. */
const WRONG_BY_MS = 60 * 60_000;

export interface LastSeen {
  update(updates: readonly LastSeenUpdate[]): Promise<ReadonlySet<string>>;
  /** Whether updates of a device, or without a name of any, are not applied to its row. */
  isPending(deviceId?: string): boolean;
  /** Applies what was appended before the call to the devices' rows, also what was appended before the store was opened. */
  apply(): Promise<void>;
}

/** Rows with a later time are left alone, unless it is so much later that a clock was ahead. */
const isNews = sql.raw(`(devices.last_seen <= s.seen_at or devices.last_seen > s.seen_at + ${WRONG_BY_MS})`);

const seen = sql.raw(
  "last_seen = s.seen_at, free_heap = s.free_heap, rssi = s.rssi, uptime_seconds = s.uptime_seconds, readings = s.readings",
);

/** Writes to the rows at once. The statement takes what others have committed meanwhile into account. */
export function directLastSeen(db: Kysely<Tables>): LastSeen {
  return {
    async update(updates) {
      const { rows } = await sql<{ id: string }>`
        update devices set last_seen = s.t, free_heap = s.h, rssi = s.r, uptime_seconds = s.u,
          readings = s.x
        from (select v->>0 as i, v->>1 as k, (v->>2)::bigint as t, (v->>3)::bigint as h, (v->>4)::bigint as r,
          (v->>5)::double precision as u, v->>6 as x
          from json_array_elements(${JSON.stringify(updates.map(toList))}::json) as v) as s
        where devices.id = s.i and devices.quiet_key = s.k and devices.quiet_revision = ${fleetRevision}
        returning devices.id`.execute(db);
      return new Set(rows.map(({ id }) => id));
    },
    isPending: () => false,
    /** An import may have brought what a SQLite store had appended. */
    apply: () =>
      db.transaction().execute(async (inside) => {
        await sql`
          update devices set ${seen} from device_sightings as s
          where devices.id = s.device_id and ${isNews}
            and s.id in (select max(id) from device_sightings group by device_id)`.execute(inside);
        await inside.deleteFrom("device_sightings").execute();
      }),
  };
}

export class AppendedLastSeen implements LastSeen {
  readonly #own: OwnTurns;
  readonly #maxPendingCount: number;
  /** Devices with updates that are not applied, and with those that are being applied. */
  #pending = new Set<string>();
  #applying = new Set<string>();
  /** Since `apply` last began. */
  #appendedCount = 0;
  #running: Promise<void> | undefined;

  constructor(own: OwnTurns, maxPendingCount = MAX_PENDING_COUNT) {
    this.#own = own;
    this.#maxPendingCount = maxPendingCount;
  }

  async update(updates: readonly LastSeenUpdate[]): Promise<ReadonlySet<string>> {
    const ids = await this.#own.unsynced((db) => append(db, updates));
    for (const id of ids) this.#pending.add(id);
    this.#appendedCount += ids.length;
    // If it fails, a caller of `apply` gets the error, and the next update tries again.
    if (this.#appendedCount >= this.#maxPendingCount && !this.#running) this.#begin().catch(() => {});
    return new Set(ids);
  }

  isPending(deviceId?: string): boolean {
    if (deviceId === undefined) return this.#pending.size + this.#applying.size > 0;
    return this.#pending.has(deviceId) || this.#applying.has(deviceId);
  }

  async apply(): Promise<void> {
    // A run that has begun already may lack what was appended since.
    if (this.#running) await this.#running;
    if (!this.#running) this.#begin();
    await this.#running;
  }

  #begin(): Promise<void> {
    this.#appendedCount = 0;
    this.#applying = this.#pending;
    this.#pending = new Set();
    this.#running = this.#applyAll()
      .catch((error) => {
        for (const id of this.#applying) this.#pending.add(id);
        throw error;
      })
      .finally(() => {
        this.#applying = new Set();
        this.#running = undefined;
      });
    return this.#running;
  }

  /** Deletes what was appended last: applying it twice does no harm. */
  async #applyAll(): Promise<void> {
    const last = await this.#own.worker(lastOf);
    if (last === null) return;
    await this.#own.worker((db) => db.executeQuery(CompiledQuery.raw(LATEST_TABLE)));
    await this.#own.worker((db) => db.executeQuery(CompiledQuery.raw("delete from temp.latest_seen")));
    for (let id = await this.#own.worker(firstOf); id <= last; id += PIECE_LENGTH)
      await this.#own.worker((db) => collect(db, id, Math.min(last, id + PIECE_LENGTH - 1)));
    let device = Number.MIN_SAFE_INTEGER;
    for (;;) {
      const start = device;
      const end = await this.#own.worker((db) => endOfPiece(db, start));
      if (end === null) break;
      await this.#own.worker((db) => applyPiece(db, start, end));
      device = end;
    }
    await this.#own.worker((db) => db.deleteFrom("device_sightings").where("id", "<=", last).execute());
  }
}

/** The id of the update that was appended last; null: none is pending. */
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
async function append(db: Kysely<Tables>, updates: readonly LastSeenUpdate[]): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let at = 0; at < updates.length; at += MAX_APPENDED_COUNT)
    ids.push(...(await appendSome(db, updates.slice(at, at + MAX_APPENDED_COUNT))));
  return ids;
}

async function appendSome(
  db: Kysely<Tables>,
  updates: readonly LastSeenUpdate[],
): Promise<readonly string[]> {
  const { numAffectedRows: count = 0n, insertId: last = 0n } = await db.executeQuery(
    CompiledQuery.raw(appendText(updates.length), updates.flatMap(toList)),
  );
  // Nearly always all of them.
  if (Number(count) === updates.length) return updates.map(({ deviceId }) => deviceId);
  const { rows } = await sql<{ id: string }>`
    select device_id as id from device_sightings where id > ${last - count} and id <= ${last}`.execute(db);
  return rows.map(({ id }) => id);
}

/** By one statement: for every number of updates there is one that is compiled already. */
const MAX_APPENDED_COUNT = 64;
const appendTexts: string[] = [];

/** A cross join keeps SQLite from going through the devices instead of the updates. */
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
 * The latest of each device, in the order of the devices' rows in the file: adjacent ones are on few pages.
 * The table belongs to this connection.
 */
const LATEST_TABLE = `
  create temp table if not exists latest_seen (device integer primary key, appended integer not null)`;
async function collect(db: Kysely<Tables>, first: number, last: number): Promise<void> {
  await sql`
    insert or replace into temp.latest_seen
    select devices.rowid, s.id from device_sightings as s cross join devices on devices.id = s.device_id
    where s.id between ${first} and ${last} order by s.id`.execute(db);
}

/** @returns the last device of the piece after `after`; null: there is none */
async function endOfPiece(db: Kysely<Tables>, after: number): Promise<number | null> {
  const { rows } = await sql<{ device: number | null }>`
    select max(device) as device
    from (select device from temp.latest_seen where device > ${after} order by device limit ${PIECE_LENGTH})`.execute(
    db,
  );
  return rows[0]?.device ?? null;
}

/** The row of a device that was removed meanwhile may be another device's now. */
async function applyPiece(db: Kysely<Tables>, after: number, end: number): Promise<void> {
  await sql`
    update devices set ${seen}
    from temp.latest_seen as l cross join device_sightings as s on s.id = l.appended
    where l.device > ${after} and l.device <= ${end} and devices.rowid = l.device and devices.id = s.device_id
      and ${isNews}`.execute(db);
}

const toList = ({ deviceId, noOpKey, seenAt, freeHeap, rssi, uptimeSeconds, readings }: LastSeenUpdate) => [
  deviceId,
  noOpKey,
  seenAt,
  freeHeap,
  rssi,
  uptimeSeconds,
  readingsText(readings),
];
