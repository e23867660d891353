import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { createApp } from "../../../../server/app.js";
import { Auth } from "../../../../server/auth/auth.js";
import { openFileBlobs } from "../../../../server/blobs/files.js";
import type { Rollout } from "../../../../server/shared/rollout.js";
import { sumStages } from "../../../../server/shared/rollout.js";
import { openSqliteStore } from "../../../../server/store/sqlite.js";
import type { Store } from "../../../../server/store/store.js";
import { sampleFirmware } from "../../../contract/store/samples.js";
import { randomFrom } from "../../rollout/samples.js";
import { START_MS } from "../../test-server.js";
import { type Fate, imageOf, VirtualClient } from "./virtual-fleet.js";

const MINUTE = 60_000;
const PAGE = { limit: 100, offset: 0 };
const FINAL = "1.2.0";

/** A fleet, two rollouts, and random failures; one seed is one run. */
class World {
  readonly random: () => number;
  readonly fleet: VirtualClient[] = [];
  nowMs = START_MS;
  isHealed = false;
  app!: FastifyInstance;
  store!: Store;
  #folder = "";
  readonly #token = "skx_fleet-fleet-fleet-fleet-fleet-fleet";

  constructor(seed: number) {
    this.random = randomFrom(seed);
  }

  async open(): Promise<void> {
    this.#folder = await mkdtemp(join(tmpdir(), "skyslot-fleet-"));
    this.store = await openSqliteStore(":memory:");
    const auth = new Auth({ store: this.store, now: () => this.nowMs, localToken: this.#token });
    const blobs = await openFileBlobs(join(this.#folder, "blobs"));
    const { store } = this;
    this.app = createApp({ store, blobs, auth, now: () => this.nowMs, settings: { deviceRate: undefined } });
    for (const version of ["1.1.0", FINAL]) {
      await store.addFirmware(sampleFirmware({ version, imageSha256: imageOf(version), isStable: false }));
    }
    for (let n = 0; n < 16; n++) this.join();
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.store.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  join(): void {
    this.fleet.push(new VirtualClient(this.app, `d${this.fleet.length}`, () => this.#fate()));
  }

  #fate(): Fate {
    if (this.isHealed || this.random() < 0.8) return "validate";
    return this.random() < 0.5 ? "roll back" : "fail";
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.random() * items.length)]!;
  }

  async command(path: string, body: object = {}): Promise<void> {
    const headers = { authorization: `Bearer ${this.#token}` };
    const answer = await this.app.inject({
      method: "POST",
      url: `/api/rollouts${path}`,
      headers,
      payload: body,
    });
    expect(answer.statusCode, answer.body).to.be.oneOf([200, 201, 409]);
  }

  async rollouts(): Promise<readonly Rollout[]> {
    return (await this.store.listRollouts({}, PAGE)).rows;
  }
}

async function begin(world: World): Promise<void> {
  for (const firmware_id of [1, 2]) {
    const percents = world.random() < 0.5 ? [20, 60, 100] : [50, 100];
    await world.command("", {
      firmware_id,
      stages: percents.map((percent) => ({
        percent,
        soak_seconds: 300 + 60 * Math.floor(world.random() * 10),
        min_validated: 1 + Math.floor(world.random() * 3),
        min_validated_fraction: world.pick([0, 0.5]),
      })),
      max_concurrent: 1 + Math.floor(world.random() * 5),
      lease_seconds: 600,
      priority: Math.floor(world.random() * 3) - 1,
      gates: {
        max_failed_fraction: 0.4,
        max_rolled_back_fraction: 0.3,
        max_silent_fraction: 1,
        min_samples: 4,
      },
    });
    await world.command(`/${firmware_id}/start`);
  }
}

/** Invariants that hold at every moment. */
async function checkInvariants(world: World, before: ReadonlyMap<number, Rollout>): Promise<void> {
  const { store, nowMs } = world;
  const holders = new Map<string, number>();
  for (const rollout of await world.rollouts()) {
    const leases = (await store.countLeases([rollout.id], nowMs)).get(rollout.id);
    const limit = rollout.maxConcurrentCount ?? 0;
    expect(leases?.countedCount ?? 0, "leases of devices that count").to.be.at.most(limit);
    expect(leases?.count ?? 0, "leases").to.be.at.most(2 * limit);
    const { rows } = await store.listMembers({ rolloutId: rollout.id }, PAGE);
    for (const { deviceId, leaseUntil } of rows) {
      if (leaseUntil !== null && leaseUntil > nowMs) holders.set(deviceId, (holders.get(deviceId) ?? 0) + 1);
    }
    const known = before.get(rollout.id);
    if (!known) continue;
    if (known.state === "cancelled") expect(rollout.state).to.equal("cancelled");
    if (rollout.stage > known.stage && !/without waiting/.test(rollout.reason)) {
      const { soakedCount } = sumStages(
        await store.tallyRollout({ ...rollout, stage: known.stage }, nowMs),
        known.stage,
      );
      const size = rollout.stageSizes[known.stage] ?? 0;
      expect(soakedCount >= 1 || size === 0, `evidence for "${rollout.reason}"`).to.equal(true);
    }
  }
  expect(Math.max(0, ...holders.values()), "rollouts that one device updates for").to.be.at.most(1);
  const { rows } = await store.listUpdates({}, { limit: 500, offset: 0 });
  const open = rows.filter(({ finishedAt }) => finishedAt === null).map(({ deviceId }) => deviceId);
  expect(new Set(open).size, "open attempts").to.equal(open.length);
}

describe("any fleet with any failures", function () {
  this.timeout(120_000);

  for (const seed of [1, 2, 3, 4]) {
    it(`keeps its limits, advances on evidence only and leaves no device behind (seed ${seed})`, async () => {
      const world = new World(seed);
      await world.open();
      try {
        await begin(world);
        let promotedCount = 0;
        for (let turn = 0; turn < 40; turn++) {
          const before = new Map((await world.rollouts()).map((rollout) => [rollout.id, rollout]));
          if (world.random() < 0.1)
            await world.command(`/${world.pick([1, 2])}/${world.pick(["pause", "resume", "promote"])}`);
          if (world.random() < 0.1) world.join();
          for (const client of world.fleet) if (world.random() < 0.8) await client.act();
          if (world.random() < 0.3) await world.app.tick();
          await checkInvariants(world, before);
          for (const { id, stage } of await world.rollouts())
            if (stage > (before.get(id)?.stage ?? 0)) promotedCount++;
          world.nowMs += 2 * MINUTE;
        }
        expect(promotedCount, "stages opened").to.be.above(0);

        // No more failures: paused rollouts resume, and every device has to finish.
        world.isHealed = true;
        for (let turn = 0; turn < 400 && world.fleet.some(({ version }) => version !== FINAL); turn++) {
          for (const { id, state } of await world.rollouts())
            if (state === "paused") await world.command(`/${id}/resume`);
          for (const client of world.fleet) await client.act();
          world.nowMs += 10 * MINUTE;
        }
        const gaveUp = await world.store.listRolledBack(2, 3);
        const behind = world.fleet.filter(({ id, version }) => version !== FINAL && !gaveUp.includes(id));
        expect(behind.map(({ id, version }) => `${id} ${version}`)).to.deep.equal([]);
      } finally {
        await world.close();
      }
    });
  }

  it("offers nothing after a cancel, whenever it comes", async () => {
    let givenCount = 0;
    for (const seed of [11, 12, 13]) {
      const world = new World(seed);
      await world.open();
      await begin(world);
      const turns = 1 + Math.floor(world.random() * 12);
      for (let turn = 0; turn < turns; turn++) {
        for (const client of world.fleet) await client.act();
        world.nowMs += 2 * MINUTE;
      }
      for (const id of [1, 2]) await world.command(`/${id}/cancel`);
      const cancelledAt = world.nowMs;
      world.join();
      for (let turn = 0; turn < 10; turn++) {
        world.nowMs += 2 * MINUTE;
        for (const client of world.fleet) await client.act();
        await world.app.tick();
      }
      for (const id of [1, 2]) {
        const { rows } = await world.store.listMembers({ rolloutId: id }, PAGE);
        givenCount += rows.length;
        for (const { lastGivenAt } of rows) expect(lastGivenAt, `seed ${seed}`).to.be.at.most(cancelledAt);
        expect((await world.store.countLeases([id], world.nowMs)).size, `seed ${seed}`).to.equal(0);
      }
      await world.close();
    }
    expect(givenCount).to.be.above(5);
  });
});
