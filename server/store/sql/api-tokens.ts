// API tokens in SQL.

import type { Kysely } from "kysely";
import type { ApiToken, ApiTokenStore } from "../api-tokens.js";
import { recordsOf } from "./rows.js";
import type { Tables } from "./tables.js";

const tokens = recordsOf<ApiToken>({ scopes: "json", deviceTypes: "json" });

export function createApiTokenStore(db: Kysely<Tables>): ApiTokenStore {
  return {
    addApiToken: (token) =>
      tokens.one(db.insertInto("api_tokens").values(tokens.toRow(token)).returningAll()),

    findApiToken: (id) => tokens.first(db.selectFrom("api_tokens").selectAll().where("id", "=", id)),

    findApiTokenByHash: (hash) =>
      tokens.first(db.selectFrom("api_tokens").selectAll().where("hash", "=", hash)),

    async listApiTokens({ userId }) {
      let query = db.selectFrom("api_tokens").selectAll();
      if (userId !== undefined) query = query.where("user_id", "=", userId);
      return tokens.all(query.orderBy("id", "desc"));
    },

    changeApiToken: (id, changes) =>
      tokens.first(
        db
          .updateTable("api_tokens")
          .set(tokens.toRow({ id, ...changes }))
          .where("id", "=", id)
          .returningAll(),
      ),
  };
}
