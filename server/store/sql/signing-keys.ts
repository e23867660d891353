// Signing keys in SQL.

import type { Kysely } from "kysely";
import type { SigningKeyStore } from "../signing-keys.js";
import type { Tables } from "./tables.js";

export function createSigningKeyStore(db: Kysely<Tables>): SigningKeyStore {
  return {
    async addSigningKey({ kid, privateKey, createdAt }) {
      await db
        .insertInto("signing_keys")
        .values({ kid, private_key: privateKey, created_at: createdAt })
        .execute();
    },

    async listSigningKeys() {
      const rows = await db
        .selectFrom("signing_keys")
        .selectAll()
        .orderBy("created_at", "desc")
        .orderBy("kid")
        .execute();
      return rows.map((row) => ({
        kid: row.kid,
        privateKey: row.private_key,
        createdAt: row.created_at,
      }));
    },

    async removeSigningKeys(createdBefore) {
      await db.deleteFrom("signing_keys").where("created_at", "<", createdBefore).execute();
    },
  };
}
