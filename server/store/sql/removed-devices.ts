// Removed devices in SQL.

import type { Kysely } from "kysely";
import type { RemovedDevice, RemovedDeviceStore } from "../removed-devices.js";
import { isPartOf } from "./devices.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const removed = tableOf<RemovedDevice, "removed_devices">("removed_devices", {});

/** What a device is now. Before its row in `devices`, to which some refer. */
const PRESENT = [
  "device_sightings",
  "device_labels",
  "device_tags",
  "device_attributes",
  "device_abilities",
  "panels",
  "reading_samples",
  "device_identities",
] as const;
/** What has become of it. */
const HISTORY = ["updates", "rollout_members", "device_orders", "events"] as const;

export function createRemovedDeviceStore(db: Kysely<Tables>): RemovedDeviceStore {
  const gone = (filter: Partial<RemovedDevice> = {}) =>
    removed
      .select(db, filter)
      .where(({ not, exists, selectFrom }) =>
        not(
          exists(
            selectFrom("devices")
              .select("devices.id")
              .whereRef("devices.id", "=", "removed_devices.device_id"),
          ),
        ),
      );
  return {
    async removeDevice(device) {
      const { deviceId } = device;
      for (const table of PRESENT) await db.deleteFrom(table).where("device_id", "=", deviceId).execute();
      await db
        .deleteFrom("device_orders")
        .where("device_id", "=", deviceId)
        .where("state", "=", "pending")
        .execute();
      await db
        .deleteFrom("content_assignments")
        .where("target_kind", "=", "device")
        .where("target", "=", deviceId)
        .execute();
      const { numDeletedRows } = await db.deleteFrom("devices").where("id", "=", deviceId).executeTakeFirst();
      if (numDeletedRows === 0n) return false;
      await removed.put(db, device, ["deviceId"]);
      return true;
    },

    async eraseRemovedDevice(deviceId) {
      for (const table of HISTORY) await db.deleteFrom(table).where("device_id", "=", deviceId).execute();
      await removed.remove(db, { deviceId });
    },

    findRemovedDevice: (deviceId) => removed.first(gone({ deviceId })),

    listRemovedDevices({ deviceTypes, search }, page) {
      let query = gone().orderBy("removed_at", "desc").orderBy("device_id");
      if (deviceTypes !== undefined) query = query.where("device_type", "in", deviceTypes);
      if (search !== undefined) query = query.where(isPartOf(search, "device_id"));
      return removed.page(query, page);
    },
  };
}
