// Device types in SQL.

import type { Kysely } from "kysely";
import type { DeviceType, TypeStore } from "../types.js";
import { readFact } from "./fleet-facts.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const types = tableOf<DeviceType, "device_types">("device_types", {});

export function createTypeStore(db: Kysely<Tables>): TypeStore {
  return {
    findType: (name) => readFact(db, `type ${name}`, () => types.find(db, { name })),

    listTypes: () => types.list(types.select(db).orderBy("name")),

    async putType(name, kind, time) {
      const type = { name, kind, createdAt: time, updatedAt: time };
      const stored = await types.put(db, type, ["name"], ["createdAt"]);
      await forgetNoOpKeys(db);
      return stored;
    },
  };
}
