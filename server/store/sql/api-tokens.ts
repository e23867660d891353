// API tokens in SQL.

import type { Generated, Kysely, Selectable } from "kysely";
import type { Scope } from "../../shared/permissions.js";
import type { ApiToken, ApiTokenStore } from "../api-tokens.js";
import type { Tables } from "./tables.js";

export interface ApiTokenTable {
  id: Generated<number>;
  user_id: number;
  name: string;
  hash: string;
  scopes: string;
  device_types: string | null;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  revoked_at: number | null;
}

export function createApiTokenStore(db: Kysely<Tables>): ApiTokenStore {
  return {
    async addApiToken(token) {
      const row = await db
        .insertInto("api_tokens")
        .values({
          user_id: token.userId,
          name: token.name,
          hash: token.hash,
          scopes: JSON.stringify(token.scopes),
          device_types: token.deviceTypes && JSON.stringify(token.deviceTypes),
          created_at: token.createdAt,
          expires_at: token.expiresAt,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toApiToken(row);
    },

    async findApiToken(id) {
      const row = await db.selectFrom("api_tokens").selectAll().where("id", "=", id).executeTakeFirst();
      return row && toApiToken(row);
    },

    async findApiTokenByHash(hash) {
      const row = await db.selectFrom("api_tokens").selectAll().where("hash", "=", hash).executeTakeFirst();
      return row && toApiToken(row);
    },

    async listApiTokens({ userId }) {
      let query = db.selectFrom("api_tokens").selectAll();
      if (userId !== undefined) query = query.where("user_id", "=", userId);
      return (await query.orderBy("id", "desc").execute()).map(toApiToken);
    },

    async changeApiToken(id, { lastUsedAt, revokedAt }) {
      const row = await db
        .updateTable("api_tokens")
        .set({ id, last_used_at: lastUsedAt, revoked_at: revokedAt })
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      return row && toApiToken(row);
    },
  };
}

const toApiToken = (row: Selectable<ApiTokenTable>): ApiToken => ({
  id: row.id,
  userId: row.user_id,
  name: row.name,
  hash: row.hash,
  scopes: JSON.parse(row.scopes) as Scope[],
  deviceTypes: row.device_types === null ? null : (JSON.parse(row.device_types) as string[]),
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
});
