// The audit log, which the database itself keeps from being changed.

import { SqliteAdapter, sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const audit: StoreMigration = {
  name: "0021_audit",
  async up(db, columns) {
    await db.schema
      .createTable("audit")
      .addColumn("id", columns.integer, columns.countUp)
      .addColumn("time", columns.time, (column) => column.notNull())
      .addColumn("actor", columns.text, (column) => column.notNull())
      .addColumn("actor_kind", columns.text, (column) => column.notNull())
      .addColumn("user_id", columns.integer)
      .addColumn("address", columns.text, (column) => column.notNull())
      .addColumn("action", columns.text, (column) => column.notNull())
      .addColumn("subject", columns.text, (column) => column.notNull())
      .addColumn("before", columns.json)
      .addColumn("after", columns.json)
      .execute();
    await db.schema.createIndex("audit_actor").on("audit").columns(["actor", "id"]).execute();
    await db.schema.createIndex("audit_action").on("audit").columns(["action", "id"]).execute();
    await db.schema.createIndex("audit_subject").on("audit").columns(["subject", "id"]).execute();
    const isSqlite = db.getExecutor().adapter instanceof SqliteAdapter;
    for (const statement of isSqlite ? SQLITE_GUARDS : POSTGRES_GUARDS) await sql.raw(statement).execute(db);
  },
};

const SQLITE_GUARDS = ["update", "delete"].map(
  (change) =>
    `create trigger audit_no_${change} before ${change} on audit begin select raise(abort, 'the audit log is append only'); end`,
);

const POSTGRES_GUARDS = [
  `create function refuse_audit_change() returns trigger language plpgsql as
   $$ begin raise exception 'the audit log is append only'; end $$`,
  `create trigger audit_no_change before update or delete on audit
   for each row execute function refuse_audit_change()`,
  `create trigger audit_no_truncate before truncate on audit
   for each statement execute function refuse_audit_change()`,
];
