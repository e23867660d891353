// Signing keys in SQL.

import type { Kysely } from "kysely";
import type { SigningKey, SigningKeyStore } from "../signing-keys.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const keys = tableOf<SigningKey, "signing_keys">("signing_keys", {});

export function createSigningKeyStore(db: Kysely<Tables>): SigningKeyStore {
  return {
    async addSigningKey(key) {
      await keys.add(db, key);
    },

    listSigningKeys: () => keys.list(keys.select(db).orderBy("created_at", "desc").orderBy("kid")),

    async removeSigningKeys(createdBefore) {
      await db.deleteFrom("signing_keys").where("created_at", "<", createdBefore).execute();
    },
  };
}
