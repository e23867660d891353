// Clients that have signed in, in SQL.

import type { Kysely } from "kysely";
import type { KnownClientStore } from "../known-clients.js";
import { countOf } from "./count.js";
import type { Tables } from "./tables.js";

export function createKnownClientStore(db: Kysely<Tables>): KnownClientStore {
  return {
    async isKnownClient(client, account, since) {
      const ofClient = db
        .selectFrom("known_clients")
        .select("client")
        .where("client", "=", client)
        .where("seen_at", ">", since)
        .limit(1);
      const query = account === undefined ? ofClient : ofClient.where("account", "=", account);
      return (await query.executeTakeFirst()) !== undefined;
    },

    async putKnownClient({ client, account, seenAt }) {
      await db
        .insertInto("known_clients")
        .values({ client, account, seen_at: seenAt })
        .onConflict((conflict) => conflict.columns(["client", "account"]).doUpdateSet({ seen_at: seenAt }))
        .execute();
    },

    async pruneKnownClients({ before, maxCount }) {
      const old = await db.deleteFrom("known_clients").where("seen_at", "<", before).executeTakeFirst();
      const surplus = (await countOf(db.selectFrom("known_clients"))) - maxCount;
      if (surplus <= 0) return Number(old.numDeletedRows);
      const longestAgo = await db
        .selectFrom("known_clients")
        .select(["client", "account"])
        .orderBy("seen_at")
        .orderBy("client")
        .limit(surplus)
        .execute();
      for (const { client, account } of longestAgo)
        await db
          .deleteFrom("known_clients")
          .where("client", "=", client)
          .where("account", "=", account)
          .execute();
      return Number(old.numDeletedRows) + longestAgo.length;
    },
  };
}
