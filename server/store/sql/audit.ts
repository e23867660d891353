// The audit log in SQL. The database itself refuses to change or remove a line, see the migration.

import type { ExpressionBuilder, Kysely } from "kysely";
import type { AuditEntry, AuditStore } from "../audit.js";
import { tableOf } from "./table.js";
import type { Tables } from "./tables.js";

const entries = tableOf<AuditEntry, "audit">("audit", { before: "json", after: "json" });

export function createAuditStore(db: Kysely<Tables>): AuditStore {
  return {
    addAudit: (entry) => entries.add(db, entry),

    async listAudit({ actor, action, subject, since, until, beforeId, limit }) {
      let query = entries.select(db, { actor });
      if (action !== undefined) query = query.where(isOrBeginsWith("action", action, "."));
      if (subject !== undefined) query = query.where(isOrBeginsWith("subject", subject, "/"));
      if (since !== undefined) query = query.where("time", ">=", since);
      if (until !== undefined) query = query.where("time", "<", until);
      if (beforeId !== undefined) query = query.where("id", "<", beforeId);
      return entries.list(query.orderBy("id", "desc").limit(limit));
    },
  };
}

/** As a range: text is sorted by its bytes, and `LIKE` differs between the databases. */
const isOrBeginsWith =
  (column: "action" | "subject", text: string, separator: "." | "/") =>
  ({ eb, or, and }: ExpressionBuilder<Tables, "audit">) =>
    or([
      eb(column, "=", text),
      and([
        eb(column, ">=", text + separator),
        eb(column, "<", text + String.fromCharCode(separator.charCodeAt(0) + 1)),
      ]),
    ]);
