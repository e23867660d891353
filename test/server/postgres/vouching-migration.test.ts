// What is known of devices that were here before it was remembered who vouched for them.

import { expect } from "chai";
import { type Kysely, sql } from "kysely";
import { migrations } from "../../../server/store/migrations/list.js";
import { migrate } from "../../../server/store/migrations/migrate.js";
import { connectPostgres } from "../../../server/store/postgres.js";
import type { SqlDatabase } from "../../../server/store/sql/database.js";
import { connectSqlite } from "../../../server/store/sqlite.js";
import { postgresOrSkip } from "../../services/postgres.js";

/** Devices: one enrolled, one enrolled and approved twice later, one that was given a token, one that nobody vouched for. */
async function fill(db: Kysely<unknown>): Promise<void> {
  const insert = (table: string, row: Record<string, unknown>) =>
    sql`insert into ${sql.table(table)} (${sql.join(Object.keys(row).map((name) => sql.ref(name)))})
      values (${sql.join(Object.values(row))})`.execute(db);
  const token = { name: "batch 7", hash: "h", use_count: 2, created_at: 1 };
  await insert("enrolment_tokens", token);
  for (const [at, device_id] of ["enrolled", "approved", "given", "alone"].entries())
    await insert("device_identities", {
      device_id,
      device_type: "base",
      state: "approved",
      issued: "[]",
      is_rotating: 0,
      created_at: 100 + at,
      updated_at: 500,
    });
  for (const device_id of ["enrolled", "approved"]) {
    const event = { kind: "device.enrolled", device_id, message: "", detail: '{"enrolment_token_id":1}' };
    await insert("events", { time: 200, ...event });
  }
  await insert("events", { time: 201, kind: "device.booted", device_id: "alone", message: "", detail: "{}" });
  for (const [time, action, subject, actor] of [
    [300, "device.approve", "device/approved", "ada"],
    [301, "device.approve", "device/approved", "ben"],
    [302, "device.token-given", "device/given", "ada (token ci)"],
    [303, "device.block", "device/alone", "ada"],
  ] as const)
    await insert("audit", { time, action, subject, actor, actor_kind: "user", address: "::1" });
}

async function expectVouching(database: SqlDatabase): Promise<void> {
  const before = migrations.map(({ name }) => name).filter((name) => name < "0121");
  await migrate(database, before);
  await fill(database.db as unknown as Kysely<unknown>);
  await migrate(database);
  const rows = await database.db
    .selectFrom("device_identities")
    .select(["device_id", "vouched_how", "vouched_by", "vouched_at", "vouched_type", "type_since"])
    .orderBy("type_since")
    .execute();
  expect(rows.map((row) => Object.values(row))).to.deep.equal([
    ["enrolled", "enrolment", "batch 7", 200, "base", 100],
    ["approved", "approval", "ben", 301, "base", 101],
    ["given", "token", "ada (token ci)", 302, "base", 102],
    ["alone", null, null, null, null, 103],
  ]);
}

describe("who vouched for devices that were here before", () => {
  it("is taken from the logs, on SQLite", async () => {
    const database = connectSqlite(":memory:");
    await expectVouching(database);
    await database.db.destroy();
  });

  it("is taken from the logs, on PostgreSQL", async function () {
    const cluster = await postgresOrSkip(this);
    const database = await connectPostgres(await cluster.newDatabase());
    await expectVouching(database);
    await database.db.destroy();
  });
});
