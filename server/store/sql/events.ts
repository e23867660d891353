// The log in SQL.

import type { Kysely } from "kysely";
import type { EventStore, LogEvent } from "../events.js";
import { devicesOf, firmwareOf } from "./of-types.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const events = tableOf<LogEvent, "events">("events", { detail: "json" });

export function createEventStore(db: Kysely<Tables>): EventStore {
  return {
    addEvent: (event) => events.add(db, event),

    listEvents({ deviceId, kind, deviceTypes, beforeId, limit }) {
      const all = events.select(db, { deviceId, kind });
      const some = deviceTypes
        ? all.where(({ or, and, eb }) =>
            or([
              eb("device_id", "in", devicesOf(db, deviceTypes)),
              and([eb("device_id", "is", null), eb("firmware_id", "in", firmwareOf(db, deviceTypes))]),
            ]),
          )
        : all;
      const query = some.orderBy("id", "desc").limit(limit);
      return events.list(beforeId === undefined ? query : query.where("id", "<", beforeId));
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
