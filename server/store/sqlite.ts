// The store in one SQLite file, for a server on one machine. Every acknowledged write has reached the disk (synchronous=FULL):
// a server that is killed has lost nothing that it answered for. Readers never wait for a writer (WAL).

import Database from "better-sqlite3";
import {
  type Insertable,
  Kysely,
  Migrator,
  type Selectable,
  SqliteDialect,
  sql,
  type Transaction,
} from "kysely";
import type { SlotState, UpdateStatus } from "../../firmware/core/wire.js";
import { migrations } from "./migrations.js";
import type { DeviceTable, EventTable, FirmwareTable, Tables, UpdateTable } from "./schema.js";
import {
  AlreadyExists,
  type Device,
  type EventFilter,
  type FailureCount,
  type Firmware,
  type FirmwareChanges,
  type FirmwareFilter,
  type LogEvent,
  MAX_EVENT_COUNT,
  type NewFirmware,
  type NewLogEvent,
  type NewUpdate,
  type Page,
  type Paged,
  type Store,
  type Update,
  type UpdateChanges,
  type UpdateFilter,
} from "./store.js";

/** Opens the file, or makes it, and brings its tables up to date. `:memory:` is a store that is forgotten. */
export async function openSqliteStore(file: string): Promise<Store> {
  const database = new Database(file);
  database.pragma("journal_mode = WAL");
  database.pragma("synchronous = FULL");
  database.pragma("foreign_keys = ON");
  database.pragma("busy_timeout = 5000");
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database }) });
  const { error } = await new Migrator({ db, provider: migrations }).migrateToLatest();
  if (error) {
    await db.destroy();
    throw new Error(`database ${file} could not be brought up to date`, { cause: error });
  }
  return new SqliteStore(db);
}

const OPEN: readonly UpdateStatus[] = ["pending", "downloading", "installing"];
/** How many events may be written before the oldest are looked at again. */
const PRUNE_INTERVAL = 1000;

class SqliteStore implements Store {
  readonly #db: Kysely<Tables> | Transaction<Tables>;

  constructor(db: Kysely<Tables> | Transaction<Tables>) {
    this.#db = db;
  }

  async putDevice(device: Device): Promise<Device> {
    const { id: _id, first_seen: _firstSeen, ...changing } = toDeviceRow(device);
    const row = await this.#db
      .insertInto("devices")
      .values(toDeviceRow(device))
      .onConflict((conflict) => conflict.column("id").doUpdateSet(changing))
      .returningAll()
      .executeTakeFirstOrThrow();
    return toDevice(row);
  }

  async findDevice(id: string): Promise<Device | undefined> {
    const row = await this.#db.selectFrom("devices").selectAll().where("id", "=", id).executeTakeFirst();
    return row && toDevice(row);
  }

  async listDevices(filter: { readonly type?: string }, page: Page): Promise<Paged<Device>> {
    let query = this.#db.selectFrom("devices");
    if (filter.type !== undefined) query = query.where("type", "=", filter.type);
    const rows = await query
      .selectAll()
      .orderBy("last_seen", "desc")
      .orderBy("id")
      .limit(page.limit)
      .offset(page.offset)
      .execute();
    return { rows: rows.map(toDevice), totalCount: await countOf(query) };
  }

  countDevices(): Promise<number> {
    return countOf(this.#db.selectFrom("devices"));
  }

  countDevicesSeenSince(time: number): Promise<number> {
    return countOf(this.#db.selectFrom("devices").where("last_seen", ">=", time));
  }

  async addFirmware(firmware: NewFirmware): Promise<Firmware> {
    try {
      const row = await this.#db
        .insertInto("firmware")
        .values(toFirmwareRow(firmware))
        .returningAll()
        .executeTakeFirstOrThrow();
      return toFirmware(row);
    } catch (error) {
      if ((error as { code?: string }).code !== "SQLITE_CONSTRAINT_UNIQUE") throw error;
      const { deviceType, version, buildNumber, hardware, chip } = firmware;
      throw new AlreadyExists(
        `${deviceType} ${version} build ${buildNumber} for ${hardware} (${chip}) is registered already`,
      );
    }
  }

  async findFirmware(id: number): Promise<Firmware | undefined> {
    const row = await this.#db.selectFrom("firmware").selectAll().where("id", "=", id).executeTakeFirst();
    return row && toFirmware(row);
  }

  async listFirmware(filter: FirmwareFilter, page: Page): Promise<Paged<Firmware>> {
    let query = this.#db.selectFrom("firmware");
    if (filter.deviceType !== undefined) query = query.where("device_type", "=", filter.deviceType);
    if (filter.isActive !== undefined) query = query.where("is_active", "=", Number(filter.isActive));
    if (filter.isStable !== undefined) query = query.where("is_stable", "=", Number(filter.isStable));
    if (filter.fileHash !== undefined) query = query.where("file_hash", "=", filter.fileHash);
    const rows = await query
      .selectAll()
      .orderBy("id", "desc")
      .limit(page.limit)
      .offset(page.offset)
      .execute();
    return { rows: rows.map(toFirmware), totalCount: await countOf(query) };
  }

  async offeredFirmware(deviceType: string): Promise<readonly Firmware[]> {
    const rows = await this.#db
      .selectFrom("firmware")
      .selectAll()
      .where("device_type", "=", deviceType)
      .where("is_active", "=", 1)
      .where("is_stable", "=", 1)
      .execute();
    return rows.map(toFirmware);
  }

  async changeFirmware(id: number, changes: FirmwareChanges, time: number): Promise<Firmware | undefined> {
    const row = await this.#db
      .updateTable("firmware")
      .set({
        updated_at: time,
        ...(changes.isStable === undefined ? {} : { is_stable: Number(changes.isStable) }),
        ...(changes.isActive === undefined ? {} : { is_active: Number(changes.isActive) }),
        ...(changes.minCurrentVersion === undefined
          ? {}
          : { min_current_version: changes.minCurrentVersion }),
        ...(changes.notes === undefined ? {} : { notes: changes.notes }),
      })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirst();
    return row && toFirmware(row);
  }

  async addUpdate(update: NewUpdate): Promise<Update> {
    const row = await this.#db
      .insertInto("updates")
      .values({
        device_id: update.deviceId,
        firmware_id: update.firmwareId,
        status: "pending",
        from_version: update.fromVersion,
        from_build: update.fromBuild,
        bytes_downloaded: 0,
        created_at: update.createdAt,
        updated_at: update.createdAt,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    return toUpdate(row);
  }

  async changeUpdate(id: number, changes: UpdateChanges, time: number): Promise<Update> {
    const row = await this.#db
      .updateTable("updates")
      .set({
        updated_at: time,
        ...(changes.status === undefined ? {} : { status: changes.status }),
        ...(changes.step === undefined ? {} : { step: changes.step }),
        ...(changes.bytesDownloaded === undefined ? {} : { bytes_downloaded: changes.bytesDownloaded }),
        ...(changes.errorCode === undefined ? {} : { error_code: changes.errorCode }),
        ...(changes.errorMessage === undefined ? {} : { error_message: changes.errorMessage }),
        ...(changes.finishedAt === undefined ? {} : { finished_at: changes.finishedAt }),
      })
      .where("id", "=", id)
      .returningAll()
      .executeTakeFirstOrThrow();
    return toUpdate(row);
  }

  async findOpenUpdate(deviceId: string): Promise<Update | undefined> {
    const row = await this.#db
      .selectFrom("updates")
      .selectAll()
      .where("device_id", "=", deviceId)
      .where("status", "in", OPEN)
      .executeTakeFirst();
    return row && toUpdate(row);
  }

  async findLastUpdate(deviceId: string, firmwareId: number): Promise<Update | undefined> {
    const row = await this.#db
      .selectFrom("updates")
      .selectAll()
      .where("device_id", "=", deviceId)
      .where("firmware_id", "=", firmwareId)
      .orderBy("id", "desc")
      .executeTakeFirst();
    return row && toUpdate(row);
  }

  async listUpdates(filter: UpdateFilter, page: Page): Promise<Paged<Update>> {
    let query = this.#db.selectFrom("updates");
    if (filter.deviceId !== undefined) query = query.where("device_id", "=", filter.deviceId);
    if (filter.firmwareId !== undefined) query = query.where("firmware_id", "=", filter.firmwareId);
    if (filter.status !== undefined) query = query.where("status", "=", filter.status);
    const rows = await query
      .selectAll()
      .orderBy("id", "desc")
      .limit(page.limit)
      .offset(page.offset)
      .execute();
    return { rows: rows.map(toUpdate), totalCount: await countOf(query) };
  }

  async countFailures(deviceId: string): Promise<readonly FailureCount[]> {
    const rows = await this.#db
      .selectFrom("updates as failed")
      .select(({ fn }) => [
        "failed.firmware_id as firmwareId",
        fn.countAll<number>().as("failedCount"),
        sql<number>`sum(case when failed.error_code = 'ROLLED_BACK' then 1 else 0 end)`.as("rolledBackCount"),
        fn.max("failed.updated_at").as("lastFailedAt"),
      ])
      .where("failed.device_id", "=", deviceId)
      .where("failed.status", "=", "failed")
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("updates as later")
              .select("later.id")
              .whereRef("later.device_id", "=", "failed.device_id")
              .whereRef("later.firmware_id", "=", "failed.firmware_id")
              .where("later.status", "=", "success")
              .whereRef("later.id", ">", "failed.id"),
          ),
        ),
      )
      .groupBy("failed.firmware_id")
      .execute();
    return rows;
  }

  async addEvent(event: NewLogEvent): Promise<LogEvent> {
    const row = await this.#db
      .insertInto("events")
      .values({
        time: event.time,
        kind: event.kind,
        device_id: event.deviceId ?? null,
        firmware_id: event.firmwareId ?? null,
        update_id: event.updateId ?? null,
        message: event.message,
        detail: event.detail ? JSON.stringify(event.detail) : null,
      })
      .returningAll()
      .executeTakeFirstOrThrow();
    if (row.id % PRUNE_INTERVAL === 0) {
      await this.#db
        .deleteFrom("events")
        .where("id", "<=", row.id - MAX_EVENT_COUNT)
        .execute();
    }
    return toEvent(row);
  }

  async listEvents(filter: EventFilter): Promise<readonly LogEvent[]> {
    let query = this.#db.selectFrom("events").selectAll();
    if (filter.deviceId !== undefined) query = query.where("device_id", "=", filter.deviceId);
    if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
    if (filter.beforeId !== undefined) query = query.where("id", "<", filter.beforeId);
    return (await query.orderBy("id", "desc").limit(filter.limit).execute()).map(toEvent);
  }

  transaction<Result>(work: (store: Store) => Promise<Result>): Promise<Result> {
    return this.#db.transaction().execute((transaction) => work(new SqliteStore(transaction)));
  }

  close(): Promise<void> {
    return this.#db.destroy();
  }
}

/** Rows that a filtered query, not yet selecting, stands for. */
async function countOf(query: { select: CallableFunction }): Promise<number> {
  const row = await (query as unknown as CountableQuery)
    .select(sql<number>`count(*)`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}
interface CountableQuery {
  select(expression: unknown): { executeTakeFirstOrThrow(): Promise<{ readonly count: number }> };
}

const toDevice = (row: Selectable<DeviceTable>): Device => ({
  id: row.id,
  type: row.type,
  hardware: row.hardware,
  chip: row.chip,
  mac: row.mac,
  version: row.version,
  build: row.build,
  imageSha256: row.image_sha256,
  slot: row.slot,
  slotState: row.slot_state as SlotState | null,
  bootCount: row.boot_count,
  resetReason: row.reset_reason,
  freeHeap: row.free_heap,
  rssi: row.rssi,
  uptimeSeconds: row.uptime_seconds,
  address: row.address,
  firstSeen: row.first_seen,
  lastSeen: row.last_seen,
});

const toDeviceRow = (device: Device): Insertable<DeviceTable> => ({
  id: device.id,
  type: device.type,
  hardware: device.hardware,
  chip: device.chip,
  mac: device.mac,
  version: device.version,
  build: device.build,
  image_sha256: device.imageSha256,
  slot: device.slot,
  slot_state: device.slotState,
  boot_count: device.bootCount,
  reset_reason: device.resetReason,
  free_heap: device.freeHeap,
  rssi: device.rssi,
  uptime_seconds: device.uptimeSeconds,
  address: device.address,
  first_seen: device.firstSeen,
  last_seen: device.lastSeen,
});

const toFirmware = (row: Selectable<FirmwareTable>): Firmware => ({
  id: row.id,
  deviceType: row.device_type,
  hardware: row.hardware,
  chip: row.chip,
  version: row.version,
  buildNumber: row.build_number,
  filename: row.filename,
  fileSize: row.file_size,
  fileHash: row.file_hash,
  binaryPath: row.binary_path,
  imageSha256: row.image_sha256,
  isStable: row.is_stable !== 0,
  isActive: row.is_active !== 0,
  minCurrentVersion: row.min_current_version,
  securityVersion: row.security_version,
  notes: row.notes,
  release: row.release_jws,
  expiresAt: row.expires_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const toFirmwareRow = (firmware: NewFirmware): Insertable<FirmwareTable> => ({
  device_type: firmware.deviceType,
  hardware: firmware.hardware,
  chip: firmware.chip,
  version: firmware.version,
  build_number: firmware.buildNumber,
  filename: firmware.filename,
  file_size: firmware.fileSize,
  file_hash: firmware.fileHash,
  binary_path: firmware.binaryPath,
  image_sha256: firmware.imageSha256,
  is_stable: Number(firmware.isStable),
  is_active: Number(firmware.isActive),
  min_current_version: firmware.minCurrentVersion,
  security_version: firmware.securityVersion,
  notes: firmware.notes,
  release_jws: firmware.release,
  expires_at: firmware.expiresAt,
  created_at: firmware.createdAt,
  updated_at: firmware.createdAt,
});

const toUpdate = (row: Selectable<UpdateTable>): Update => ({
  id: row.id,
  deviceId: row.device_id,
  firmwareId: row.firmware_id,
  status: row.status as UpdateStatus,
  step: row.step,
  fromVersion: row.from_version,
  fromBuild: row.from_build,
  bytesDownloaded: row.bytes_downloaded,
  errorCode: row.error_code,
  errorMessage: row.error_message,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  finishedAt: row.finished_at,
});

const toEvent = (row: Selectable<EventTable>): LogEvent => ({
  id: row.id,
  time: row.time,
  kind: row.kind,
  deviceId: row.device_id,
  firmwareId: row.firmware_id,
  updateId: row.update_id,
  message: row.message,
  detail: row.detail === null ? null : (JSON.parse(row.detail) as Record<string, unknown>),
});
