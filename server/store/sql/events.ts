// The log in SQL.

import type { Generated, Kysely, Selectable } from "kysely";
import type { EventStore, LogEvent } from "../events.js";
import type { Tables } from "./tables.js";

export interface EventTable {
  id: Generated<number>;
  time: number;
  kind: string;
  device_id: string | null;
  firmware_id: number | null;
  update_id: number | null;
  message: string;
  detail: string | null;
}

export function createEventStore(db: Kysely<Tables>): EventStore {
  return {
    async addEvent(event) {
      const row = await db
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
      return toEvent(row);
    },

    async listEvents(filter) {
      let query = db.selectFrom("events").selectAll();
      if (filter.deviceId !== undefined) query = query.where("device_id", "=", filter.deviceId);
      if (filter.kind !== undefined) query = query.where("kind", "=", filter.kind);
      if (filter.beforeId !== undefined) query = query.where("id", "<", filter.beforeId);
      return (await query.orderBy("id", "desc").limit(filter.limit).execute()).map(toEvent);
    },

    async pruneEvents({ before, maxCount, limit }) {
      const newest = db.selectFrom("events").select("id").orderBy("id", "desc");
      const lastTooMany = (await newest.offset(maxCount).limit(1).executeTakeFirst())?.id ?? 0;
      const oldest = await db
        .selectFrom("events")
        .select(["id", "time"])
        .orderBy("id")
        .limit(limit)
        .execute();
      const ids = oldest.filter(({ id, time }) => id <= lastTooMany || time < before).map(({ id }) => id);
      if (ids.length > 0) await db.deleteFrom("events").where("id", "in", ids).execute();
      return ids.length;
    },
  };
}

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
