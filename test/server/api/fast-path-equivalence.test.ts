// The fast path answers and records what the full path does. Three servers are given the same random sequence of requests: one takes
// the fast path in its routes, one always the full path, and one is accessed over a socket, where the fast path is in front of the routes.
// SKYSLOT_NO_OP_SEED selects other sequences, SKYSLOT_NO_OP_COUNT more of them.

import { expect } from "chai";
import { randomStream } from "../../../host-sim/world/random.js";
import { openPostgresStore } from "../../../server/store/postgres.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import type { Store } from "../../../server/store/store.js";
import { type Cluster, postgresOrSkip } from "../../services/postgres.js";
import { type MadeRelease, makeRelease, TestServer } from "../test-server.js";

const SEED = process.env.SKYSLOT_NO_OP_SEED ?? "1";
const SEQUENCE_COUNT = Number(process.env.SKYSLOT_NO_OP_COUNT ?? 12);
const STEP_COUNT = 120;
const DEVICES = ["base-1", "base-2", "base-3"];
const ALL = { limit: 500, offset: 0 };

/** Counts what takes the fast path. */
function watched(store: Store): { readonly store: Store; count: number } {
  const watch = {
    count: 0,
    store: {
      ...store,
      async updateLastSeen(updates) {
        const seen = await store.updateLastSeen(updates);
        watch.count += seen.size;
        return seen;
      },
    } as Store,
  };
  return watch;
}

/** A device as it appears to all servers. */
interface Client {
  readonly id: string;
  version: string;
  bootCount: number;
  sha: string;
  keepsToken: boolean;
  /** The tokens that each of the servers has issued: they differ. */
  tokens: (string | undefined)[];
  offered: number | undefined;
  /** Orders that it has received; ids are the same on all servers. */
  orders: readonly number[];
}

class Servers {
  readonly #servers: readonly TestServer[];
  readonly #random: () => number;
  readonly #clients: readonly Client[];
  readonly #releases: readonly MadeRelease[];
  #uploadedCount = 0;
  /** For each server. */
  checkCount = 0;

  constructor(servers: readonly TestServer[], random: () => number, releases: readonly MadeRelease[]) {
    this.#servers = servers;
    this.#random = random;
    this.#releases = releases;
    this.#clients = DEVICES.map((id, at) => ({
      id,
      version: "1.0.0",
      bootCount: 1,
      sha: "a".repeat(64),
      keepsToken: at === 0,
      tokens: [],
      offered: undefined,
      orders: [],
    }));
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.#random() * items.length)] as Item;
  }

  /** Nearly always a check, as in production. @returns what was done */
  async step(): Promise<string> {
    for (const server of this.#servers) server.nowMs += 1;
    const client = this.#pick(this.#clients);
    if (this.#random() < 0.75) return this.#check(client);
    const odd = this.#pick([
      () => this.#pass(),
      () => this.#pass(),
      () => this.#upload(),
      () => this.#changeFirmware(),
      () => this.#rollout(),
      () => this.#commandRollout(),
      () => this.#label(client),
      () => this.#label(client),
      () => this.#label(client),
      () => this.#label(client),
      () => this.#change(client),
      () => this.#identity(client),
      () => this.#policy(),
      () => this.#type(),
      () => this.#report(client),
      () => this.#report(client),
      () => this.#install(client),
      () => this.#install(client),
      () => this.#boot(client),
      () => this.#order(client),
      () => this.#order(client),
      () => this.#order(client),
    ]);
    return odd();
  }

  async #all(what: string, ask: (server: TestServer, at: number) => ReturnType<TestServer["check"]>) {
    const answers = await Promise.all(this.#servers.map(ask));
    const [one, ...others] = answers.map((answer) => ({
      status: answer.statusCode,
      // Secrets always differ, but whether there is one must not.
      body: answer.body.replace(/skd_[\w-]+/g, "skd_"),
      headers: headersOf(answer),
    }));
    for (const other of others) expect(one, what).to.deep.equal(other);
    return answers;
  }

  async #check(client: Client): Promise<string> {
    const body = {
      device_id: client.id,
      current_version: client.version,
      boot_count: client.bootCount,
      image_sha256: client.sha,
      slot: "ota_0",
      slot_state: "valid" as const,
      free_heap: 100_000 + Math.floor(this.#random() * 1000),
      uptime_seconds: Math.round(this.#random() * 1e6) / 10,
      ...(this.#random() < 0.8 ? { rssi: -50 - Math.floor(this.#random() * 30) } : {}),
      ...(this.#random() < 0.5 ? { temperature_c: Math.round(this.#random() * 300) / 10 } : {}),
      ...(client.keepsToken ? { keeps_token: true } : {}),
      ...(client.orders.length > 0 && this.#random() < 0.5
        ? { order_results: client.orders.map((id) => ({ id, result: "done" as const })) }
        : {}),
    };
    const shows = this.#random() < 0.95;
    this.checkCount++;
    const what = `check of ${client.id} ${JSON.stringify(body)} ${shows ? "with its token" : "without"}`;
    const answers = await this.#all(what, (server, at) =>
      server.check(body, shows ? client.tokens[at] : undefined),
    );
    for (const [at, answer] of answers.entries()) {
      const { device_token: token, firmware_id: offered, orders } = answer.json() as Record<string, never>;
      client.orders = (orders as { id: number }[] | undefined)?.map(({ id }) => id) ?? [];
      if (token !== undefined) client.tokens[at] = token;
      client.offered = offered;
    }
    return what;
  }

  async #pass(): Promise<string> {
    const ms = this.#pick([1000, 60_000, 11 * 60_000, 3_600_000, 25 * 3_600_000]);
    for (const server of this.#servers) server.nowMs += ms;
    if (this.#random() < 0.3) await Promise.all(this.#servers.map((server) => server.app.tick()));
    return `${ms} ms pass`;
  }

  async #upload(): Promise<string> {
    const made = this.#releases[this.#uploadedCount];
    if (!made) return this.#changeFirmware();
    this.#uploadedCount++;
    const is_stable = String(this.#random() < 0.5);
    await this.#all("upload", (server) => server.upload(made, { is_stable }));
    return `upload ${this.#uploadedCount}, stable: ${is_stable}`;
  }

  async #admin(method: "POST" | "PUT" | "PATCH" | "DELETE", url: string, body?: object): Promise<string> {
    const what = `${method} ${url} ${JSON.stringify(body ?? {})}`;
    const [answer] = await this.#all(what, (server) => server.admin(method, url, body));
    return `${what} → ${answer?.statusCode} ${answer?.body.slice(0, 80)}`;
  }

  #id = () => 1 + Math.floor(this.#random() * Math.max(1, this.#uploadedCount));

  #changeFirmware(): Promise<string> {
    const change = this.#pick([
      { is_stable: true },
      { is_stable: false },
      { is_active: false },
      { is_active: true },
    ]);
    return this.#admin("PATCH", `/api/ota/admin/firmware/${this.#id()}`, change);
  }

  #rollout(): Promise<string> {
    return this.#admin("POST", "/api/rollouts", {
      firmware_id: this.#id(),
      name: "wave",
      start: this.#random() < 0.8,
      stages: [
        { name: "some", percent: 40, soak_seconds: 60 },
        { name: "all", percent: 100, soak_seconds: 60 },
      ],
    });
  }

  #commandRollout(): Promise<string> {
    const id = 1 + Math.floor(this.#random() * 4);
    return this.#admin("POST", `/api/rollouts/${id}/${this.#pick(["pause", "resume", "cancel", "start"])}`, {
      reason: "because",
    });
  }

  #label({ id }: Client): Promise<string> {
    const labels = this.#pick([
      { pin: "1.0.0" },
      { pin: null },
      { pin: "1.0.0" },
      { pin: null },
      { pin: "1.1.0" },
      { group: "lab" },
      { tags: ["early"] },
    ]);
    return this.#admin("PATCH", `/api/devices/${id}`, labels);
  }

  async #change(client: Client): Promise<string> {
    client.keepsToken = !client.keepsToken;
    return `${client.id} keeps tokens: ${client.keepsToken}`;
  }

  #identity({ id }: Client): Promise<string> {
    const action = this.#pick(["block", "approve", "approve", "approve", "rotate-token", "forget-token"]);
    return this.#admin("POST", "/api/device-identities/change", { device_ids: [id], action });
  }

  #policy(): Promise<string> {
    const type = this.#pick(["base", "*"]);
    if (this.#random() < 0.4) return this.#admin("DELETE", `/api/registration/${encodeURIComponent(type)}`);
    return this.#admin("PUT", `/api/registration/${encodeURIComponent(type)}`, {
      registration: "open",
      tokens: this.#pick(["optional", "first-use", "required"]),
    });
  }

  #type(): Promise<string> {
    return this.#admin("PUT", "/api/types/base", { kind: this.#pick(["signed", "legacy"]) });
  }

  async #order({ id }: Client): Promise<string> {
    if (this.#random() < 0.7)
      return this.#admin("POST", `/api/devices/${id}/orders`, { kind: this.#pick(["identify", "restart"]) });
    const { orders } = (await this.#servers[0]?.admin("GET", `/api/devices/${id}/orders`))?.json() ?? {};
    return this.#admin("DELETE", `/api/devices/${id}/orders/${orders?.[0]?.id ?? 1}`);
  }

  async #report(client: Client): Promise<string> {
    const body = {
      device_id: client.id,
      firmware_id: client.offered ?? this.#id(),
      ...this.#pick([
        { status: "downloading" as const, bytes_downloaded: 5000 },
        { status: "installing" as const, step: "armed" },
        { status: "failed" as const, error_code: "HASH_MISMATCH" },
        { status: "failed" as const, error_code: "ROLLED_BACK", error_message: "no network" },
      ]),
    };
    const what = `report ${JSON.stringify(body)}`;
    await this.#all(what, (server, at) => server.status(body, client.tokens[at]));
    return what;
  }

  async #install(client: Client): Promise<string> {
    const at = client.offered === undefined ? undefined : client.offered - 1;
    const made = at === undefined ? undefined : this.#releases[at];
    if (!made || at === undefined) return "nothing to install";
    Object.assign(client, {
      version: `1.${at + 1}.0`,
      sha: made.imageSha256,
      bootCount: client.bootCount + 1,
    });
    return `${client.id} runs ${client.version}`;
  }

  async #boot(client: Client): Promise<string> {
    client.bootCount++;
    return `${client.id} boots`;
  }
}

/** What the routes, or the fast path in front of them, send; a socket adds its own headers. */
function headersOf({ headers }: Awaited<ReturnType<TestServer["check"]>>) {
  const { date, connection, "keep-alive": _, "x-request-id": id, ...rest } = headers;
  return { ...rest, isDated: date !== undefined, hasId: id !== undefined, "content-length": undefined };
}

/** Everything that a check may have written. */
async function recordsOf({ store }: TestServer) {
  const devices = await Promise.all(DEVICES.map((id) => store.findDevice(id)));
  const identities = await store.findIdentities(DEVICES);
  return {
    devices,
    listed: await store.listDevices({}, ALL),
    identities: identities.map(({ tokenHash, issued, ...rest }) => ({
      ...rest,
      usesToken: tokenHash !== null,
      issuedCount: issued.length,
    })),
    updates: await store.listUpdates({}, ALL),
    events: (await store.listEvents({ limit: 500 })).map(({ id: _id, ...event }) => event),
    rollouts: await store.listRollouts({}, ALL),
    orders: await Promise.all(DEVICES.map((id) => store.listOrders(id, 50))),
    members: await Promise.all(DEVICES.map((id) => store.findMembers(id))),
  };
}

describe("the fast path", () => {
  /** @returns how many checks of the sequence were no-ops */
  async function compare(stores: readonly [Store, Store, Store], sequence: number): Promise<number> {
    const quick = watched(stores[0]);
    const full = watched(stores[1]);
    const front = watched(stores[2]);
    const settings = { deviceRate: undefined };
    const servers = [
      await TestServer.open(settings, quick.store),
      await TestServer.open({ ...settings, fastPath: false }, full.store),
      await TestServer.open(settings, front.store),
    ];
    let routedCount = 0;
    servers[2]?.app.addHook("onRequest", (request, _reply, done) => {
      if (request.url === "/api/ota/check") routedCount++;
      done();
    });
    await servers[2]?.listen();
    const releases = await Promise.all(
      ["1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.5.0"].map((v) => makeRelease(v)),
    );
    const all = new Servers(servers, randomStream(`${SEED}/${sequence}`), releases);
    const done: string[] = [];
    try {
      for (let step = 1; step <= STEP_COUNT; step++) {
        done.push(await all.step());
        // Reading applies what is pending: not after each step, so that updates pile up sometimes.
        if (step % 10 !== 0) continue;
        const [one, ...others] = await Promise.all(servers.map(recordsOf));
        for (const other of others) expect(one).to.deep.equal(other);
      }
      expect(full.count).to.equal(0);
      expect(front.count).to.equal(quick.count);
      // The routes have not even seen the no-op checks.
      expect(routedCount).to.equal(all.checkCount - front.count);
      return quick.count;
    } catch (error) {
      const last = done.slice(-12).map((text) => `\n  ${text}`);
      (error as Error).message =
        `seed ${SEED}, sequence ${sequence}, step ${done.length + 1}: ${(error as Error).message}${last.join("")}`;
      throw error;
    } finally {
      await Promise.all(servers.map((server) => server.close()));
    }
  }

  /** A run with almost no no-op checks, or almost only those, would prove nothing. */
  async function sweep(open: () => Promise<Store>, sequenceCount: number): Promise<void> {
    let noOpCount = 0;
    for (let at = 1; at <= sequenceCount; at++)
      noOpCount += await compare([await open(), await open(), await open()], at);
    const stepCount = sequenceCount * STEP_COUNT;
    expect(noOpCount).to.be.within(stepCount / 20, stepCount * 0.7);
  }

  it(`answers and records what the full path does, ${SEQUENCE_COUNT} sequences of seed ${SEED}`, async function () {
    this.timeout(300_000);
    await sweep(() => openSqliteStore(":memory:"), SEQUENCE_COUNT);
  });

  describe("on PostgreSQL", () => {
    let cluster: Cluster;
    before(async function () {
      cluster = await postgresOrSkip(this);
    });
    const open = async () => openPostgresStore(await cluster.newDatabase());

    it("answers and records what the full path does", async function () {
      this.timeout(300_000);
      await sweep(open, 3);
    });

    it("of one server ends when another is changed", async () => {
      const url = await cluster.newDatabase();
      const [one, two] = [watched(await openPostgresStore(url)), watched(await openPostgresStore(url))];
      const servers = [await TestServer.open({}, one.store), await TestServer.open({}, two.store)] as const;
      const check = async (at: 0 | 1) => (await servers[at].check()).json() as { update_available: boolean };
      const change = (action: string) =>
        servers[0].admin("POST", "/api/device-identities/change", { device_ids: ["base-010203"], action });
      try {
        await check(0);
        await check(0);
        await check(1);
        expect([one.count, two.count]).to.deep.equal([1, 1]);
        await change("block");
        expect((await servers[1].check()).statusCode).to.equal(403);
        await change("approve");
        await check(1);
        await check(1);
        expect(two.count).to.equal(2);
        expect((await servers[0].upload(await makeRelease("1.1.0"))).statusCode).to.equal(201);
        expect((await check(1)).update_available).to.equal(true);
      } finally {
        await Promise.all(servers.map((server) => server.close()));
      }
    });
  });
});
