// API tokens in SQL.

import type { Kysely } from "kysely";
import type { ApiToken, ApiTokenStore } from "../api-tokens.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const tokens = tableOf<ApiToken, "api_tokens">("api_tokens", { scopes: "json", deviceTypes: "json" });

export function createApiTokenStore(db: Kysely<Tables>): ApiTokenStore {
  return {
    addApiToken: (token) => tokens.add(db, token),

    findApiToken: (id) => tokens.find(db, { id }),

    findApiTokenByHash: (hash) => tokens.find(db, { hash }),

    listApiTokens: ({ userId }) => tokens.list(tokens.select(db, { userId }).orderBy("id", "desc")),

    changeApiToken: (id, changes) => tokens.change(db, { id }, changes),
  };
}
