// Connections to PostgreSQL end at any moment: while they wait, in the middle of a transaction, while they hold an advisory lock. An
// administrator ends them, or the database restarts, or crashes. The server process lives through all of it, and nothing that it has
// acknowledged is lost. SKYSLOT_CRASH_SEED tries other moments, SKYSLOT_LOST_ROUNDS more.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "chai";
import { randomStream } from "../../../host-sim/world/random.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { openStore } from "../../../server/store/open.js";
import { ask, type OwnCluster, ownPostgresOrSkip } from "../../services/postgres.js";
import { CrashProcesses, endOf } from "./processes.js";
import { Workload } from "./workload.js";

const SEED = process.env.SKYSLOT_CRASH_SEED ?? "2";
const ROUND_COUNT = Number(process.env.SKYSLOT_LOST_ROUNDS ?? 25);
/** Between two losses: some requests succeed, others are in the middle. */
const MAX_PAUSE_MS = 150;

const END_CONNECTIONS =
  "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'skyslot%'";

describe("a server whose database connections end", () => {
  let processes: CrashProcesses;
  let cluster: OwnCluster;
  let folder: string;
  before(async function () {
    cluster = await ownPostgresOrSkip(this);
    processes = await CrashProcesses.open();
  });
  after(async () => {
    await processes?.close();
    cluster?.close();
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-lost-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it(`goes on, and has lost nothing, after ${ROUND_COUNT} losses under load`, async function () {
    this.timeout(ROUND_COUNT * 10_000);
    const random = randomStream(`${SEED}/lost`);
    const databaseUrl = await cluster.newDatabase();
    const dataDir = join(folder, "data");
    const { child, server } = await processes.start({ dataDir, databaseUrl, killAtStep: 0 });
    expect(server, "the server has started").to.not.equal(undefined);
    const workload = new Workload(random);
    const end = new AbortController();
    const running = workload.run(server!, end.signal).then(() => {
      if (!end.signal.aborted) throw new Error("the server no longer answers");
    });
    for (let round = 1; round <= ROUND_COUNT; round++) {
      await Promise.race([sleep(random() * MAX_PAUSE_MS), running]);
      const before = workload.acknowledgedCount;
      if (round % 5 === 0) await cluster.restart(round % 2 === 0 ? "immediate" : "fast");
      else await ask(databaseUrl, END_CONNECTIONS);
      expect(child.exitCode ?? child.signalCode, `round ${round}`).to.equal(null);
      // it works again: other requests are acknowledged
      while (workload.acknowledgedCount === before) await Promise.race([sleep(20), running]);
    }
    end.abort();
    await running;
    child.kill("SIGKILL");
    await endOf(child);
    const store = await openStore({ databaseUrl, file: "" });
    try {
      await workload.verify(store, await openFileBlobs(join(dataDir, "blobs")));
    } finally {
      await store.close();
    }
    expect(workload.acknowledgedCount).to.be.above(ROUND_COUNT);
  });
});
