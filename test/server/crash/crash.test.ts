// A real server process is killed again and again, in the middle of uploads, checks (no-op ones too), status reports and migrations.
// The seed decides before which step (concurrent steps may come in another order); SKYSLOT_CRASH_SEED tries others,
// SKYSLOT_CRASH_ROUNDS more.

import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import { sql } from "kysely";
import { randomStream } from "../../../host-sim/world/random.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { migrate } from "../../../server/store/migrations/migrate.js";
import { openStore } from "../../../server/store/open.js";
import { connectPostgres } from "../../../server/store/postgres.js";
import { removeUnusedBlobs } from "../../../server/upkeep.js";
import { sampleDevice } from "../../contract/store/samples.js";
import { type Cluster, postgresOrSkip } from "../../services/postgres.js";
import type { ChildOrder } from "./child.js";
import { CrashProcesses, endOf } from "./processes.js";
import { expectNoOrphans, Workload } from "./workload.js";

const SEED = process.env.SKYSLOT_CRASH_SEED ?? "2";
const ROUND_COUNT = Number(process.env.SKYSLOT_CRASH_ROUNDS ?? 15);
/** It is also killed this many times while it migrates a database of release 0.1.0. */
const MIGRATION_ROUND_COUNT = Math.ceil(ROUND_COUNT / 3);
/** A start takes some 45 steps, an upload 30, a check 10. */
const MAX_STEP = 250;
const MAX_MIGRATION_STEP = 45;
const FAR_FUTURE = 8e15;

/** No-op checks that were stored but not applied to the devices' rows: the next start has to apply them. */
function countWaiting(file: string): number {
  if (!existsSync(file)) return 0;
  const database = new Database(file);
  const isThere = database.prepare("select 1 from sqlite_master where name = 'device_sightings'").get();
  const count = isThere ? database.prepare("select count(*) from device_sightings").pluck().get() : 0;
  database.close();
  return count as number;
}

describe("a server that is killed", () => {
  let processes: CrashProcesses;
  let folder: string;
  before(async () => {
    processes = await CrashProcesses.open();
  });
  after(() => processes.close());
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-crash-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  /** One database, killed repeatedly; each start finds what the last kill left. */
  const killWhileWorking = async (databaseUrl?: string) => {
    const random = randomStream(`${SEED}/work`);
    const workload = new Workload(random);
    const dataDir = join(folder, "data");
    const place = { file: join(dataDir, "skyslot.db"), databaseUrl };
    let listenedCount = 0;
    let waitingCount = 0;
    // A sweep that hit nothing would prove nothing. How much is acknowledged before a kill depends on how busy the machine is.
    const hasSeenLittle = () => listenedCount <= ROUND_COUNT / 2 || workload.acknowledgedCount <= ROUND_COUNT;
    for (let round = 1; round <= ROUND_COUNT || (hasSeenLittle() && round <= 4 * ROUND_COUNT); round++) {
      const killAtStep = 1 + Math.floor(random() * MAX_STEP);
      const order: ChildOrder = { dataDir, killAtStep, ...(databaseUrl ? { databaseUrl } : {}) };
      const { child, server } = await processes.start(order);
      if (server) {
        listenedCount++;
        await workload.run(server);
      }
      const where = `round ${round} of seed ${SEED}, killed before step ${killAtStep}`;
      expect(await endOf(child), where).to.equal("SIGKILL");
      if (!databaseUrl) waitingCount += countWaiting(place.file);
      const store = await openStore(place);
      const blobs = await openFileBlobs(join(dataDir, "blobs"));
      try {
        await workload.verify(store, blobs);
        await blobs.forgetUnfinished(FAR_FUTURE);
        await removeUnusedBlobs({ store, blobs }, FAR_FUTURE);
        await expectNoOrphans(store, blobs);
        expect(await readdir(join(dataDir, "blobs", "tmp")), where).to.deep.equal([]);
      } catch (error) {
        (error as Error).message = `${where}: ${(error as Error).message}`;
        throw error;
      } finally {
        await store.close();
      }
    }
    expect(listenedCount).to.be.above(ROUND_COUNT / 2);
    expect(workload.acknowledgedCount).to.be.above(ROUND_COUNT);
    if (!databaseUrl) expect(waitingCount, "updates of last seen that a kill has left behind").to.be.above(0);
    return place;
  };

  /** A database of release 0.1.0 each time, killed while the server migrates it; the next start completes that. */
  const killWhileMigrating = async (makeOld: (dataDir: string) => Promise<string | undefined>) => {
    const random = randomStream(`${SEED}/migration`);
    let interruptedCount = 0;
    for (let round = 1; round <= MIGRATION_ROUND_COUNT; round++) {
      const dataDir = await mkdtemp(join(folder, "old-"));
      const databaseUrl = await makeOld(dataDir);
      const killAtStep = 1 + Math.floor(random() * MAX_MIGRATION_STEP);
      const { child, server } = await processes.start({
        dataDir,
        killAtStep,
        ...(databaseUrl ? { databaseUrl } : {}),
      });
      if (server) child.kill("SIGKILL");
      else interruptedCount++;
      await endOf(child);
      const store = await openStore({ file: join(dataDir, "skyslot.db"), databaseUrl });
      expect(await store.findDevice("base-010203"), `killed before step ${killAtStep}`).to.deep.equal(
        sampleDevice(),
      );
      expect(await store.findUsedBlobs(["b".repeat(64)])).to.have.property("size", 1);
      await store.close();
    }
    expect(interruptedCount).to.be.above(MIGRATION_ROUND_COUNT / 2);
  };

  describe("on SQLite", () => {
    it(`has lost nothing and has no partial writes, ${ROUND_COUNT} times`, async function () {
      this.timeout(ROUND_COUNT * 20_000);
      const { file } = await killWhileWorking();
      const database = new Database(file, { readonly: true });
      expect(database.pragma("integrity_check")).to.deep.equal([{ integrity_check: "ok" }]);
      expect(database.pragma("foreign_key_check")).to.deep.equal([]);
      database.close();
    });

    it("resumes an interrupted migration", async function () {
      this.timeout(ROUND_COUNT * 10_000);
      const released = await readFile("test/fixtures/store-0001.sql", "utf8");
      await killWhileMigrating(async (dataDir) => {
        const database = new Database(join(dataDir, "skyslot.db"));
        database.exec(released);
        database.close();
        return undefined;
      });
    });
  });

  describe("on PostgreSQL", () => {
    let cluster: Cluster;
    before(async function () {
      cluster = await postgresOrSkip(this);
    });

    it(`has lost nothing and has no partial writes, ${ROUND_COUNT} times`, async function () {
      this.timeout(ROUND_COUNT * 20_000);
      await killWhileWorking(await cluster.newDatabase());
    });

    it("resumes an interrupted migration", async function () {
      this.timeout(ROUND_COUNT * 10_000);
      const released = await readFile("test/fixtures/store-0001.sql", "utf8");
      const rows = released.split("\n").filter((line) => /^INSERT INTO "(devices|firmware)"/.test(line));
      expect(rows).to.have.length(2);
      await killWhileMigrating(async () => {
        const url = await cluster.newDatabase();
        const database = await connectPostgres(url);
        await migrate(database, ["0001_first"]);
        for (const row of rows) await sql.raw(row).execute(database.db);
        await database.db.destroy();
        return url;
      });
    });
  });
});
