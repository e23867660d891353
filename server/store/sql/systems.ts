// Systems in SQL.

import type { Kysely } from "kysely";
import { AlreadyExists } from "../errors.js";
import type { StoredSystem, SystemStore } from "../systems.js";
import type { SqlDialect } from "./database.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const systems = tableOf<StoredSystem, "systems">("systems", { deviceTypes: "json", isActive: "flag" });

export function createSystemStore(db: Kysely<Tables>, dialect: SqlDialect): SystemStore {
  return {
    async addSystem(system) {
      try {
        return await systems.add(db, { ...system, isActive: true, updatedAt: system.createdAt });
      } catch (error) {
        if (!dialect.isTaken(error)) throw error;
        throw new AlreadyExists(`system ${system.name} ${system.version} is registered already`);
      }
    },

    findSystem: (id) => systems.find(db, { id }),

    listSystems: (filter, page) => systems.page(systems.select(db, filter).orderBy("id", "desc"), page),

    changeSystem: (id, changes, time) => systems.change(db, { id }, { ...changes, updatedAt: time }),
  };
}
