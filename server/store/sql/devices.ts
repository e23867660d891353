// Devices in SQL.

import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import type { SlotState } from "../../../firmware/core/wire.js";
import type { Device, DeviceStore } from "../devices.js";
import { countOf } from "./count.js";
import type { Tables } from "./tables.js";

export interface DeviceTable {
  id: string;
  type: string;
  hardware: string | null;
  chip: string | null;
  mac: string | null;
  version: string;
  build: number;
  image_sha256: string | null;
  slot: string | null;
  slot_state: string | null;
  boot_count: number | null;
  reset_reason: string | null;
  free_heap: number | null;
  rssi: number | null;
  uptime_seconds: number | null;
  address: string | null;
  first_seen: number;
  last_seen: number;
  quiet_key: string | null;
  quiet_revision: number | null;
}

export function createDeviceStore(db: Kysely<Tables>): DeviceStore {
  return {
    async putDevice(device) {
      const { id: _id, first_seen: _firstSeen, ...changing } = toDeviceRow(device);
      const row = await db
        .insertInto("devices")
        .values(toDeviceRow(device))
        .onConflict((conflict) => conflict.column("id").doUpdateSet({ ...changing, quiet_key: null }))
        .returningAll()
        .executeTakeFirstOrThrow();
      return toDevice(row);
    },

    async findDevice(id) {
      const row = await db.selectFrom("devices").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toDevice(row);
    },

    async listDevices(filter, page) {
      let query = db.selectFrom("devices");
      const { type, version, tag, group, search } = filter;
      if (type !== undefined) query = query.where("type", "=", type);
      if (version !== undefined) query = query.where("version", "=", version);
      if (tag !== undefined) {
        const tagged = db.selectFrom("device_tags").select("device_id").where("tag", "=", tag);
        query = query.where("id", "in", tagged);
      }
      if (group !== undefined) {
        const grouped = db.selectFrom("device_labels").select("device_id").where("group_name", "=", group);
        query = query.where("id", "in", grouped);
      }
      if (search !== undefined) {
        const pattern = `%${search.toLowerCase().replace(/[\\%_]/g, "\\$&")}%`;
        query = query.where(sql<boolean>`lower(id) like ${pattern} escape '\\'`);
      }
      const rows = await query
        .selectAll()
        .orderBy("last_seen", "desc")
        .orderBy("id")
        .limit(page.limit)
        .offset(page.offset)
        .execute();
      return { rows: rows.map(toDevice), totalCount: await countOf(query) };
    },

    countDevices() {
      return countOf(db.selectFrom("devices"));
    },

    countDevicesSeenSince(time) {
      return countOf(db.selectFrom("devices").where("last_seen", ">=", time));
    },
  };
}

export const toDevice = (row: Selectable<DeviceTable>): Device => ({
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
