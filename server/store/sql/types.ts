// Device types in SQL.

import type { Kysely, Selectable } from "kysely";
import type { DeviceType, DeviceTypeKind, TypeStore } from "../types.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import type { Tables } from "./tables.js";

export interface DeviceTypeTable {
  name: string;
  kind: string;
  created_at: number;
  updated_at: number;
}

export function createTypeStore(db: Kysely<Tables>): TypeStore {
  return {
    async findType(name) {
      const row = await db.selectFrom("device_types").selectAll().where("name", "=", name).executeTakeFirst();
      return row && toType(row);
    },

    async listTypes() {
      return (await db.selectFrom("device_types").selectAll().orderBy("name").execute()).map(toType);
    },

    async putType(name, kind, time) {
      const row = await db
        .insertInto("device_types")
        .values({ name, kind, created_at: time, updated_at: time })
        .onConflict((conflict) => conflict.column("name").doUpdateSet({ kind, updated_at: time }))
        .returningAll()
        .executeTakeFirstOrThrow();
      await forgetNoOpKeys(db);
      return toType(row);
    },
  };
}

const toType = (row: Selectable<DeviceTypeTable>): DeviceType => ({
  name: row.name,
  kind: row.kind as DeviceTypeKind,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
