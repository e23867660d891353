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
});
