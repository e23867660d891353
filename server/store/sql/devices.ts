// Devices in SQL.

import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Readings } from "../../../firmware/core/wire.js";
import { type DeviceStatus, GRACE_MS, PATIENCE, type Patience } from "../../shared/device-status.js";
import type { Device, DeviceFilter, DeviceOrder, DeviceStore, StatusTerms } from "../devices.js";
import { countOf } from "./count.js";
import { isUnvouched } from "./counted.js";
import type { SqlDialect } from "./database.js";
import { noteRevision } from "./fleet-facts.js";
import { fleetRevision } from "./no-op-checks.js";
import { runStatement } from "./statement.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const devices = tableOf<Device, "devices">("devices", { readings: "json" }, [
  "quiet_key",
  "quiet_revision",
  "stated_at",
]);

export function createDeviceStore(db: Kysely<Tables>, dialect: SqlDialect): DeviceStore {
  const orders = ordersIn(dialect);
  return {
    async putDevice(device, noOpKey) {
      const row = { ...devices.toRow(device), quiet_key: noOpKey ?? null };
      const [stored] = await runStatement(db, "put device", row, (slots) => {
        const { id: _id, first_seen: _firstSeen, ...changing } = slots;
        const key = { quiet_revision: fleetRevision };
        return db
          .insertInto("devices")
          .values({ ...slots, ...key })
          .onConflict((conflict) => conflict.column("id").doUpdateSet({ ...changing, ...key }))
          .returningAll();
      });
      return devices.toItem(stored as never);
    },

    async touchDevice(id, seenAt) {
      await runStatement(db, "touch device", { id, seenAt }, (slots) =>
        db
          .updateTable("devices")
          .set({ last_seen: slots.seenAt, quiet_key: null })
          .where("id", "=", slots.id),
      );
    },

    findDevice: (id) => devices.find(db, { id }),

    async findTraces(id) {
      const [row] = await runStatement(db, "find traces", { id }, (slots) => tracesOf(db, slots.id));
      const { revision, labels, open, failed, orders, digest } = row as unknown as Traces;
      noteRevision(db, revision);
      return {
        hasLabels: labels === 1,
        hasOpenUpdate: open === 1,
        hasFailedUpdate: failed === 1,
        hasPendingOrder: orders === 1,
        abilitiesDigest: digest ?? undefined,
      };
    },

    async noteStatement(id, type, time) {
      await db
        .updateTable("devices")
        .set({ stated_at: time })
        .where("id", "=", id)
        .where("type", "=", type)
        .execute();
    },

    async findStatementTime(id) {
      const row = await db.selectFrom("devices").select("stated_at").where("id", "=", id).executeTakeFirst();
      return row?.stated_at ?? undefined;
    },

    async listDevices(filter, page, order = "seen") {
      const query = devicesThat(db, filter);
      const sorted = orders[order];
      // The ids come from an index alone; only the devices of this page are read.
      const ids = query.select("id").orderBy(sorted).limit(page.limit).offset(page.offset);
      const rows = await db
        .selectFrom("devices")
        .selectAll()
        .where("id", "in", ids)
        .orderBy(sorted)
        .execute();
      return { rows: rows.map(devices.toItem), totalCount: await countOf(query) };
    },

    async listDeviceIds(filter, after, limit) {
      let query = devicesThat(db, filter).select("id").orderBy("id").limit(limit);
      if (after !== undefined) query = query.where("id", ">", after);
      return (await query.execute()).map(({ id }) => id);
    },

    countDevices: () => countOf(db.selectFrom("devices")),

    countFrozenDevices: () => countOf(db.selectFrom("devices").where("frozen_since", "is not", null)),

    async countStatuses(terms) {
      const rows = await db
        .selectFrom("devices")
        .leftJoin("device_identities as i", "i.device_id", "devices.id")
        .select([statusWord(terms).as("status"), sql<number>`count(*)`.as("deviceCount")])
        .groupBy(sql`1`)
        .execute();
      return {
        ...{ online: 0, late: 0, offline: 0 },
        ...Object.fromEntries(rows.map(({ status, deviceCount }) => [status, deviceCount])),
      };
    },

    countDevicesSeenSince: (time) => countOf(db.selectFrom("devices").where("last_seen", ">=", time)),
  };
}

interface Traces {
  readonly revision: number;
  readonly labels: number;
  readonly open: number;
  readonly failed: number;
  readonly orders: number;
  readonly digest: string | null;
}

/** One statement, with the fleet's revision: a transaction that looks at a device needs both. */
function tracesOf(db: Kysely<Tables>, id: string) {
  const isThere = (rows: RawBuilder<unknown>) => sql<number>`case when exists (${rows}) then 1 else 0 end`;
  return db.selectNoFrom([
    fleetRevision.as("revision"),
    isThere(sql`select 1 from device_labels where device_id = ${id}`).as("labels"),
    // In the words of the index `updates_open`.
    isThere(sql`select 1 from updates where device_id = ${id} and status not in ('success', 'failed')`).as(
      "open",
    ),
    isThere(sql`select 1 from updates where device_id = ${id} and status = 'failed'`).as("failed"),
    isThere(sql`select 1 from device_orders where device_id = ${id} and state = 'pending'`).as("orders"),
    sql<string | null>`(select digest from device_abilities where device_id = ${id})`.as("digest"),
  ]);
}

/** Ends with the id everywhere, so that no two devices are equal. */
function ordersIn({ name }: SqlDialect): Readonly<Record<DeviceOrder, RawBuilder<unknown>>> {
  const battery =
    name === "sqlite"
      ? sql`json_extract(readings, '$.battery_percent')`
      : sql`(readings::json->>'battery_percent')::double precision`;
  return {
    id: sql`id`,
    seen: sql`last_seen desc, id`,
    type: sql`type, id`,
    version: sql`${versionPart(name, 1)}, ${versionPart(name, 2)}, ${versionPart(name, 3)}, version, build, id`,
    group: sql`${groupName} is null, ${groupName}, id`,
    battery: sql`${battery} is null, ${battery}, id`,
    signal: sql`rssi is null, rssi, id`,
  };
}

const groupName = sql`(select group_name from device_labels as l where l.device_id = devices.id)`;

/** MAJOR, MINOR or PATCH as a number: 1.10.0 is after 1.9.0. Of another version: any number, always the same. */
function versionPart(name: SqlDialect["name"], part: 1 | 2 | 3): RawBuilder<unknown> {
  if (name === "postgres")
    return sql`coalesce(substring(split_part(version, '.', ${sql.lit(part)}) from '^[0-9]+')::numeric, 0)`;
  const rest = (text: RawBuilder<unknown>) => sql`substr(${text}, instr(${text}, '.') + 1)`;
  const whole = sql`version`;
  const text = part === 1 ? whole : part === 2 ? rest(whole) : rest(rest(whole));
  return sql`cast(${text} as integer)`;
}

export function devicesThat(db: Kysely<Tables>, filter: DeviceFilter) {
  const { type, deviceTypes, version, tag, group, status, isVouched, search, isRootBehind, isFrozen } =
    filter;
  const needsIdentity = status !== undefined || isVouched !== undefined;
  let query = db
    .selectFrom("devices")
    .$if(needsIdentity, (all) => all.leftJoin("device_identities as i", "i.device_id", "devices.id"));
  if (isVouched !== undefined)
    query = query.where(isVouched ? sql<boolean>`not ${isUnvouched}` : isUnvouched);
  if (type !== undefined) query = query.where("type", "=", type);
  if (deviceTypes !== undefined) query = query.where("type", "in", deviceTypes);
  if (version !== undefined) query = query.where("version", "=", version);
  if (tag !== undefined) {
    const tagged = db.selectFrom("device_tags").select("device_id").where("tag", "=", tag);
    query = query.where("id", "in", tagged);
  }
  if (group !== undefined) {
    const grouped = db.selectFrom("device_labels").select("device_id").where("group_name", "=", group);
    query = query.where("id", "in", grouped);
  }
  if (status !== undefined) query = query.where(sql<boolean>`${statusWord(status)} = ${sql.lit(status.is)}`);
  if (isRootBehind) query = query.where(sql<boolean>`root_version < (select max(version) from trust_roots)`);
  if (isFrozen) query = query.where("frozen_since", "is not", null);
  if (search !== undefined) {
    const tagged = db.selectFrom("device_tags").select("device_id").where(isPartOf(search, "tag"));
    const grouped = db.selectFrom("device_labels").select("device_id").where(isPartOf(search, "group_name"));
    query = query.where((where) =>
      where.or([
        isPartOf(search, "id"),
        isPartOf(search, "address"),
        where("id", "in", tagged),
        where("id", "in", grouped),
      ]),
    );
  }
  return query;
}

/** Whether a column contains a text, in capitals or not. */
export function isPartOf(text: string, column: string) {
  const pattern = `%${text.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
  return sql<boolean>`lower(${sql.ref(column)}) like ${pattern} escape '\\'`;
}

/** What `statusOf` says, in SQL, of devices joined with their identities `i`. */
function statusWord({ now, usualMs }: StatusTerms) {
  const { online, late } = PATIENCE;
  const patience = ({ intervals, usual }: Patience) =>
    sql`coalesce(i.interval_seconds * ${sql.lit(intervals * 1000)} + ${sql.lit(GRACE_MS)}, ${sql.lit(usual * usualMs)})`;
  const silent = sql`${sql.lit(now)} - last_seen`;
  return sql<DeviceStatus>`case when ${silent} < ${patience(online)} then 'online'
    when ${silent} < ${patience(late)} then 'late' else 'offline' end`;
}

/** As a column holds them. */
export const readingsText = (readings: Readings | null): string | null =>
  readings === null ? null : JSON.stringify(readings);
