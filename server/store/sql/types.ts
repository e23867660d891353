// Device types in SQL.

import type { Kysely } from "kysely";
import type { DeviceType, TypeStore } from "../types.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { recordsOf } from "./rows.js";
import type { Tables } from "./tables.js";

const types = recordsOf<DeviceType>({});

export function createTypeStore(db: Kysely<Tables>): TypeStore {
  return {
    findType: (name) => types.first(db.selectFrom("device_types").selectAll().where("name", "=", name)),

    listTypes: () => types.all(db.selectFrom("device_types").selectAll().orderBy("name")),

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
