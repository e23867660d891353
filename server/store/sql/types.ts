// Device types in SQL.

import type { Kysely } from "kysely";
import type { DeviceType, TypeStore } from "../types.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const types = tableOf<DeviceType, "device_types">("device_types", {});

export function createTypeStore(db: Kysely<Tables>): TypeStore {
  return {
    findType: (name) => types.find(db, { name }),

    listTypes: () => types.list(types.select(db).orderBy("name")),

    async putType(name, kind, time) {
      const row = await db
        .insertInto("device_types")
        .values({ name, kind, created_at: time, updated_at: time })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ kind, updated_at: time }))
        .returningAll()
        .executeTakeFirstOrThrow();
      await forgetNoOpKeys(db);
      return types.toItem(row);
    },
  };
}
