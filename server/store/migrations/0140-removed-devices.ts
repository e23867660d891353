// Devices that were removed, and a history that outlives its device: attempts and places in rollouts refer to no row of `devices` any more.

import { type Kysely, sql } from "kysely";
import type { StoreMigration } from "./migration.js";

export const removedDevices: StoreMigration = {
  name: "0140_removed_devices",
  async up(db, columns, dialect) {
    await db.schema
      .createTable("removed_devices")
      .addColumn("device_id", columns.text, (column) => column.primaryKey().notNull())
      .addColumn("device_type", columns.text, (column) => column.notNull())
      .addColumn("version", columns.text, (column) => column.notNull())
      .addColumn("first_seen", columns.time, (column) => column.notNull())
      .addColumn("last_seen", columns.time, (column) => column.notNull())
      .addColumn("removed_at", columns.time, (column) => column.notNull())
      .addColumn("removed_by", columns.text, (column) => column.notNull())
      .execute();
    await db.schema
      .createIndex("removed_devices_time")
      .on("removed_devices")
      .columns(["removed_at", "device_id"])
      .execute();
    for (const table of ["updates", "rollout_members"])
      if (dialect === "sqlite") await rebuild(db, table);
      else await db.schema.alterTable(table).dropConstraint(`${table}_device_id_fkey`).execute();
  },
};

const REFERENCE = ` references "devices" ("id")`;

/** SQLite changes no constraint of a table that is there: it is made anew from its own text, with all rows and indexes. */
async function rebuild(db: Kysely<unknown>, table: string): Promise<void> {
  const { rows } = await sql<{ type: string; sql: string }>`
    select type, sql from sqlite_master where tbl_name = ${table} and sql is not null`.execute(db);
  const former = rows.find(({ type }) => type === "table")?.sql ?? "";
  const name = `CREATE TABLE "${table}"`;
  if (!former.startsWith(name) || !former.includes(REFERENCE))
    throw new Error(`the table ${table} is not as it was made: ${former.slice(0, 200)}`);
  const made = former.replace(name, `create table "new_${table}"`).replace(REFERENCE, "");
  const counter = await sql<{ seq: number }>`select seq from sqlite_sequence where name = ${table}`.execute(
    db,
  );
  await sql.raw(made).execute(db);
  await sql`insert into ${sql.table(`new_${table}`)} select * from ${sql.table(table)}`.execute(db);
  await db.schema.dropTable(table).execute();
  await db.schema.alterTable(`new_${table}`).renameTo(table).execute();
  // An id that was given once is given to no other row, also if its own is gone.
  for (const { seq } of counter.rows) {
    await sql`delete from sqlite_sequence where name = ${table}`.execute(db);
    await sql`insert into sqlite_sequence (name, seq) values (${table}, ${seq})`.execute(db);
  }
  for (const { type, sql: text } of rows) if (type === "index") await sql.raw(text).execute(db);
}
