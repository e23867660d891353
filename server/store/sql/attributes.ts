// Attributes of devices in SQL.

import type { Kysely } from "kysely";
import type { AttributeStore, Attributes } from "../attributes.js";
import type { Tables } from "./tables.js";

export function createAttributeStore(db: Kysely<Tables>): AttributeStore {
  return {
    async findAttributes(deviceId) {
      const row = await db
        .selectFrom("device_attributes")
        .select("attributes")
        .where("device_id", "=", deviceId)
        .executeTakeFirst();
      return row && (JSON.parse(row.attributes) as Attributes);
    },

    async putAttributes(deviceId, attributes, time) {
      const changes = { attributes: JSON.stringify(attributes), updated_at: time };
      await db
        .insertInto("device_attributes")
        .values({ device_id: deviceId, ...changes })
        .onConflict((conflict) => conflict.column("device_id").doUpdateSet(changes))
        .execute();
    },
  };
}
