// Trust roots in SQL.

import { type Kysely, sql } from "kysely";
import { AlreadyExists } from "../errors.js";
import type { StoredRoot, TrustRootStore } from "../trust-roots.js";
import type { SqlDialect } from "./database.js";
import { readFact } from "./fleet-facts.js";
import { forgetNoOpKeys } from "./no-op-checks.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const roots = tableOf<StoredRoot, "trust_roots">("trust_roots", {});

export function createTrustRootStore(db: Kysely<Tables>, dialect: SqlDialect): TrustRootStore {
  const newestFirst = () => roots.select(db).orderBy("version", "desc");
  return {
    async addRoot(root) {
      try {
        await roots.add(db, root);
      } catch (error) {
        if (!dialect.isTaken(error)) throw error;
        throw new AlreadyExists(`trust root ${root.version} is here already`);
      }
      await forgetNoOpKeys(db);
    },

    findRoot: (version) => readFact(db, `root ${version}`, () => roots.find(db, { version })),

    findNewestRoot: async () => (await roots.list(newestFirst().limit(1)))[0],

    listRoots: () => roots.list(newestFirst()),

    async countRootVersions() {
      const rows = await db
        .selectFrom("devices")
        .select(["root_version", sql<number>`count(*)`.as("deviceCount")])
        .groupBy("root_version")
        .orderBy(sql`root_version is null, root_version`)
        .execute();
      return rows.map(({ root_version, deviceCount }) => ({
        rootVersion: root_version,
        deviceCount: Number(deviceCount),
      }));
    },
  };
}
