import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { createApp } from "../../../server/app.js";
import { Auth } from "../../../server/auth/auth.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import { openPostgresStore } from "../../../server/store/postgres.js";
import type { Store } from "../../../server/store/store.js";
import { sampleNewRollout } from "../../contract/store/rollouts.js";
import { sampleFirmware } from "../../contract/store/samples.js";
import { type Cluster, postgresOrSkip } from "../../services/postgres.js";
import { imageOf, VirtualClient } from "../api/rollout/virtual-fleet.js";
import { START_MS } from "../test-server.js";

const LIMIT = 5;

describe("two servers on one PostgreSQL", function () {
  this.timeout(300_000);
  let cluster: Cluster;
  let folder: string;
  let stores: Store[];
  let apps: FastifyInstance[];
  let nowMs: number;
  before(async function () {
    cluster = await postgresOrSkip(this);
  });
  beforeEach(async () => {
    nowMs = START_MS;
    folder = await mkdtemp(join(tmpdir(), "skyslot-two-"));
    const url = await cluster.newDatabase();
    stores = [await openPostgresStore(url), await openPostgresStore(url)];
    const blobs = await openFileBlobs(join(folder, "blobs"));
    const now = () => nowMs;
    apps = stores.map((store) =>
      createApp({ store, blobs, auth: new Auth({ store, now }), now, settings: { deviceRate: undefined } }),
    );
  });
  afterEach(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await Promise.all(stores.map((store) => store.close()));
    await rm(folder, { recursive: true, force: true });
  });

  it("share a rollout without exceeding its leases, and bring it to every device", async () => {
    const store = stores[0]!;
    const firmware = await store.addFirmware(
      sampleFirmware({ imageSha256: imageOf("1.1.0"), isStable: false }),
    );
    const stages = [{ name: "all", percent: 100, soakMs: 0, minValidatedCount: 1, minValidatedFraction: 0 }];
    const rollout = await store.addRollout(
      sampleNewRollout({
        firmwareId: firmware.id,
        target: {},
        stages,
        gates: { ...sampleNewRollout().gates, silentAfterMs: 3_600_000 },
        windows: null,
        startAt: null,
        maxConcurrentCount: LIMIT,
        leaseMs: 30 * 60_000,
        state: "running",
        startedAt: START_MS,
      }),
    );
    const fleet = Array.from({ length: 24 }, (_, index) => new VirtualClient(apps[index % 2]!, `d${index}`));
    let fullCount = 0;
    for (
      let turn = 0;
      turn < 60 && fleet.some(({ version, isUpdating }) => isUpdating || version === "1.0.0");
      turn++
    ) {
      // All at once, on both servers.
      await Promise.all(fleet.map((client) => client.act()));
      const leases = (await store.countLeases([rollout.id], nowMs)).get(rollout.id)?.count ?? 0;
      expect(leases, `turn ${turn}`).to.be.at.most(LIMIT);
      expect(fleet.filter(({ isUpdating }) => isUpdating).length, `turn ${turn}`).to.be.at.most(LIMIT);
      if (leases === LIMIT) fullCount++;
      nowMs += 120_000;
    }
    expect(fullCount).to.be.above(3);
    expect(fleet.every(({ version }) => version === "1.1.0")).to.equal(true);
    await apps[1]!.tick();
    expect(await store.findRollout(rollout.id)).to.include({
      state: "finished",
      reason: "24 of 24 devices validated",
    });
  });

  it("advance a rollout once, even if both evaluate it at the same time", async () => {
    const store = stores[0]!;
    const firmware = await store.addFirmware(sampleFirmware({ isStable: false }));
    await store.addRollout(
      sampleNewRollout({ firmwareId: firmware.id, target: {}, state: "scheduled", startAt: START_MS }),
    );
    await Promise.all([...apps, ...apps].map((app) => app.tick()));
    const events = await store.listEvents({ limit: 50, kind: "rollout.started" });
    expect(events).to.have.length(1);
  });
});
