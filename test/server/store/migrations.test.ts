import { expect } from "chai";
import { sql } from "kysely";
import { migrations } from "../../../server/store/migrations/list.js";
import { listMigrations, migrate } from "../../../server/store/migrations/migrate.js";
import type { SqlDatabase } from "../../../server/store/sql/database.js";
import { connectSqlite } from "../../../server/store/sqlite.js";

const ALL = migrations.map(({ name }) => name);

describe("the migrations of a database", () => {
  let database: SqlDatabase;
  beforeEach(() => {
    database = connectSqlite(":memory:");
  });
  afterEach(() => database.db.destroy());

  const missing = async () =>
    (await listMigrations(database))
      .filter(({ appliedAt }) => appliedAt === undefined)
      .map(({ name }) => name);

  it("are all missing in an empty one, which stays empty", async () => {
    expect(await missing()).to.deep.equal(ALL);
    const { rows } = await sql`select name from sqlite_master`.execute(database.db);
    expect(rows).to.deep.equal([]);
  });

  it("are listed with the time at which they were applied", async () => {
    await migrate(database, ALL.slice(0, 3));
    expect(await missing()).to.deep.equal(ALL.slice(3));
    await migrate(database);
    const listed = await listMigrations(database);
    expect(listed.map(({ name }) => name)).to.deep.equal(ALL);
    for (const { appliedAt } of listed) expect(appliedAt).to.match(/^\d{4}-\d{2}-\d{2}T/);
  });

  for (const name of ["9999_from_the_future", "0001_a_fork"])
    it(`that a newer version has applied (${name}) stop this one before it changes anything`, async () => {
      await migrate(database, ALL.slice(0, -1));
      const time = new Date().toISOString();
      await sql`insert into kysely_migration (name, timestamp) values (${name}, ${time})`.execute(
        database.db,
      );
      const error = await migrate(database).catch((thrown: Error) => thrown);
      expect(error).to.have.property("message").that.includes(name).and.includes("newer version");
      expect(await missing()).to.deep.equal(ALL.slice(-1));
      const known = (await listMigrations(database)).filter(({ isKnown }) => !isKnown);
      expect(known).to.deep.equal([{ name, appliedAt: time, isKnown: false }]);
    });

  it("keep the progress of nodes while they allow another status of it", async () => {
    const before = ALL.slice(0, ALL.indexOf("0130_mesh_rules"));
    await migrate(database, before);
    const { db } = database;
    await sql`insert into firmware (id, device_type, hardware, chip, version, build_number, filename, file_size, file_hash, binary_path,
      image_sha256, is_stable, is_active, security_version, release_jws, created_at, updated_at)
      values (1, 'pir', 'esp32', 'esp32', '1.0.0', 0, 'a.bin', 1, 'a', 'a', '', 0, 1, 0, '', 1, 1)`.execute(
      db,
    );
    await sql`insert into ota_updates (id, firmware_id, is_forced, status, created_at, updated_at)
      values (1, 1, 0, 'distributing', 1, 1)`.execute(db);
    await sql`insert into ota_node_status (update_id, node_id, status, current_part, total_parts, created_at, updated_at)
      values (1, '7', 'transferring', 3, 20, 1, 2)`.execute(db);
    await migrate(database);
    const { rows } = await sql`select * from ota_node_status`.execute(db);
    expect(rows).to.deep.equal([
      {
        update_id: 1,
        node_id: "7",
        status: "transferring",
        current_part: 3,
        total_parts: 20,
        error: null,
        created_at: 1,
        updated_at: 2,
      },
    ]);
    expect((await sql<{ rule: string }>`select rule from ota_updates`.execute(db)).rows).to.deep.equal([
      { rule: "each" },
    ]);
    await sql`update ota_node_status set status = 'staged'`.execute(db);
    const wrong = await sql`update ota_node_status set status = 'lost'`.execute(db).catch(() => "refused");
    expect(wrong).to.equal("refused");
  });

  it("read the sequence of a release out of its manifest", async () => {
    await migrate(database, ALL.slice(0, ALL.indexOf("0156_withdrawn_releases")));
    const { db } = database;
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const manifests = [
      `${encode({ alg: "ES256" })}.${encode({ format: 2, sequence: 1_795_000_000 })}.AAAA`,
      JSON.stringify({ payload: encode({ format: 3, sequence: 7 }), signatures: [] }),
      `${encode({ alg: "ES256" })}.${encode({ format: 2 })}.AAAA`,
      "",
      "not.a manifest.at all",
    ];
    for (const [id, jws] of manifests.entries())
      await sql`insert into firmware (id, device_type, hardware, chip, version, build_number, filename, file_size, file_hash, binary_path,
        image_sha256, is_stable, is_active, security_version, release_jws, created_at, updated_at)
        values (${id + 1}, 'base', 'esp32', 'esp32', '1.0.0', ${id}, 'a.bin', 1, 'a', 'a', '', 0, 1, 0, ${jws}, 1, 1)`.execute(
        db,
      );
    await migrate(database);
    const { rows } = await sql<{ sequence: number }>`select sequence from firmware order by id`.execute(db);
    expect(rows.map(({ sequence }) => sequence)).to.deep.equal([1_795_000_000, 7, 0, 0, 0]);
  });

  it("keep attempts, their indexes and their counter when these outlive their device", async () => {
    await migrate(database, ALL.slice(0, ALL.indexOf("0140_removed_devices")));
    const { db } = database;
    await sql`pragma foreign_keys = on`.execute(db);
    await sql`insert into firmware (id, device_type, hardware, chip, version, build_number, filename, file_size, file_hash, binary_path,
      image_sha256, is_stable, is_active, security_version, release_jws, created_at, updated_at)
      values (1, 'base', 'esp32', 'esp32', '1.0.0', 0, 'a.bin', 1, 'a', 'a', '', 0, 1, 0, '', 1, 1)`.execute(
      db,
    );
    await sql`insert into devices (id, type, version, build, first_seen, last_seen) values ('base-1', 'base', '1.0.0', 0, 1, 1)`.execute(
      db,
    );
    const add = (id: number, status: string) =>
      sql`insert into updates (id, device_id, firmware_id, status, from_version, from_build, bytes_downloaded, created_at, updated_at, sent_count)
        values (${id}, 'base-1', 1, ${status}, '0.9.0', 0, 7, 1, 1, 3)`.execute(db);
    await add(4, "pending");
    await add(9, "failed");
    await sql`delete from updates where id = 9`.execute(db);
    const indexes = async () =>
      (
        await sql<{
          name: string;
        }>`select name from sqlite_master where type = 'index' and sql is not null order by name`.execute(db)
      ).rows.map(({ name }) => name);
    const before = await indexes();
    await migrate(database, ALL.slice(0, ALL.indexOf("0140_removed_devices") + 1));
    expect((await indexes()).filter((name) => !name.startsWith("removed_"))).to.deep.equal(before);
    const open = await add(5, "pending").catch((error: Error) => error.message);
    expect(open).to.contain("UNIQUE");
    await sql`delete from devices`.execute(db);
    const { rows } = await sql`select id, device_id, sent_count, status from updates`.execute(db);
    expect(rows).to.deep.equal([{ id: 4, device_id: "base-1", sent_count: 3, status: "pending" }]);
    const { rows: counter } = await sql`select seq from sqlite_sequence where name = 'updates'`.execute(db);
    expect(counter).to.deep.equal([{ seq: 9 }]);
  });
});
