// The audit log in SQL. The database itself refuses to change or remove a line, see the migration.

import type { ExpressionBuilder, Generated, Kysely, Selectable } from "kysely";
import type { AuditEntry, AuditStore } from "../audit.js";
import type { Tables } from "./tables.js";

export interface AuditTable {
  id: Generated<number>;
  time: number;
  actor: string;
  actor_kind: string;
  user_id: number | null;
  address: string;
  action: string;
  subject: string;
  before: string | null;
  after: string | null;
}

export function createAuditStore(db: Kysely<Tables>): AuditStore {
  return {
    async addAudit(entry) {
      const row = await db
        .insertInto("audit")
        .values({
          time: entry.time,
          actor: entry.actor,
          actor_kind: entry.actorKind,
          user_id: entry.userId,
          address: entry.address,
          action: entry.action,
          subject: entry.subject,
          before: entry.before && JSON.stringify(entry.before),
          after: entry.after && JSON.stringify(entry.after),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return toAuditEntry(row);
    },

    async listAudit({ actor, action, subject, since, until, beforeId, limit }) {
      let query = db.selectFrom("audit").selectAll();
      if (actor !== undefined) query = query.where("actor", "=", actor);
      if (action !== undefined) query = query.where(isOrBeginsWith("action", action, "."));
      if (subject !== undefined) query = query.where(isOrBeginsWith("subject", subject, "/"));
      if (since !== undefined) query = query.where("time", ">=", since);
      if (until !== undefined) query = query.where("time", "<", until);
      if (beforeId !== undefined) query = query.where("id", "<", beforeId);
      return (await query.orderBy("id", "desc").limit(limit).execute()).map(toAuditEntry);
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

const toAuditEntry = (row: Selectable<AuditTable>): AuditEntry => ({
  id: row.id,
  time: row.time,
  actor: row.actor,
  actorKind: row.actor_kind,
  userId: row.user_id,
  address: row.address,
  action: row.action,
  subject: row.subject,
  before: row.before === null ? null : JSON.parse(row.before),
  after: row.after === null ? null : JSON.parse(row.after),
});
