import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { FastifyInstance } from "fastify";
import { createApp } from "../../../server/app.js";
import { Auth } from "../../../server/auth/auth.js";
import { openFileBlobs } from "../../../server/blobs/files.js";
import type { Relay } from "../../../server/events/live.js";
import { openPostgresRelay } from "../../../server/events/postgres-relay.js";
import { openPostgresStore } from "../../../server/store/postgres.js";
import type { Store } from "../../../server/store/store.js";
import { chooseUrl, type Nginx, nginxOrSkip, startNginx } from "../../services/nginx.js";
import { type Cluster, postgresOrSkip } from "../../services/postgres.js";
import { type Server as Reached, VirtualClient } from "../api/rollout/virtual-fleet.js";
import { makeRelease, START_MS } from "../test-server.js";

const TOKEN = "skx_nginx-nginx-nginx-nginx-nginx-nginx";
const BAD = "2.0.0";
const GOOD = "2.0.1";
const DEVICE_COUNT = 12;
const TURN_MS = 120_000;
/** Turns after which a rollout must have ended: it needs less than half of them. */
const MAX_TURN_COUNT = 60;

describe("two servers on one PostgreSQL behind nginx, under a prefix", function () {
  this.timeout(120_000);
  let cluster: Cluster;
  let folder: string;
  let nginx: Nginx;
  let apps: FastifyInstance[];
  let stores: Store[];
  let relays: Relay[];
  let nowMs = START_MS;
  /** Requests that each server has been sent. */
  const requestCounts = [0, 0];
  const hashes = new Map<string, string>();

  before(async function () {
    nginxOrSkip(this);
    cluster = await postgresOrSkip(this);
    folder = await mkdtemp(join(tmpdir(), "skyslot-nginx-"));
    const databaseUrl = await cluster.newDatabase();
    const url = await chooseUrl();
    const blobs = await openFileBlobs(join(folder, "blobs"));
    const now = () => nowMs;
    stores = [await openPostgresStore(databaseUrl), await openPostgresStore(databaseUrl)];
    relays = stores.map(() => openPostgresRelay(databaseUrl, () => {}));
    apps = stores.map((store, at) =>
      createApp({
        store,
        blobs,
        auth: new Auth({ store, now, localToken: TOKEN }),
        relay: relays[at],
        now,
        settings: { publicUrl: url, trustedProxies: ["127.0.0.1"], deviceRate: undefined },
      }),
    );
    for (const [at, app] of apps.entries()) {
      app.server.on("request", () => requestCounts[at]!++);
      await app.listen({ host: "127.0.0.1", port: 0 });
    }
    nginx = await startNginx(url, apps.map(portOf));
  });
  after(async () => {
    await nginx?.close();
    await Promise.all((apps ?? []).map((app) => app.close()));
    await Promise.all((relays ?? []).map((relay) => relay.close()));
    await Promise.all((stores ?? []).map((store) => store.close()));
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  const portOf = (app: FastifyInstance): number => (app.server.address() as AddressInfo).port;
  const asAdmin = { authorization: `Bearer ${TOKEN}` };

  /** As a person's tools: through nginx. */
  async function admin<Answer>(method: string, path: string, body?: object): Promise<Answer> {
    const answer = await fetch(`${nginx.url}${path}`, {
      method,
      headers: { ...asAdmin, ...(body && { "content-type": "application/json" }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.ok, `${method} ${path}: ${answer.status} ${text}`).equal(true);
    return JSON.parse(text) as Answer;
  }

  /** Larger than nginx's own limit for bodies, 1 MiB. */
  async function upload(version: string): Promise<number> {
    const bundle = `trace("${version}");`.padEnd(1_300_000, " ");
    const { image, release, imageSha256 } = await makeRelease(version, { image: { bundle } });
    const form = new FormData();
    form.set("is_stable", "false");
    form.set("release", release);
    form.set("file", new Blob([new Uint8Array(image)]), "base.bin");
    const init = { method: "POST", headers: asAdmin, body: form };
    const answer = await fetch(`${nginx.url}/api/ota/admin/upload`, init);
    const { id, message } = (await answer.json()) as { id: number; message?: string };
    expect(answer.status, message).equal(201);
    hashes.set(version, imageSha256);
    return id;
  }

  /** What devices reach: each request goes through nginx, and what is offered is downloaded from where the answer says. */
  const reached: Reached = {
    async inject({ url, payload }) {
      const answer = await fetch(`${nginx.url}${url}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(payload),
      });
      const body = await answer.text();
      const json = JSON.parse(body) as { readonly download_url?: string; readonly file_hash?: string };
      if (json.download_url !== undefined) await download(json.download_url, json.file_hash ?? "");
      return { statusCode: answer.status, body, json: () => json };
    },
  };

  /** In two ranges, as a device does after an interruption. */
  async function download(path: string, sha256: string): Promise<void> {
    const hash = createHash("sha256");
    for (const range of ["bytes=0-99999", "bytes=100000-"]) {
      const answer = await fetch(new URL(path, nginx.url), { headers: { range } });
      expect(answer.status).equal(206);
      hash.update(Buffer.from(await answer.arrayBuffer()));
    }
    expect(hash.digest("hex")).equal(sha256);
  }

  const fleet = Array.from(
    { length: DEVICE_COUNT },
    (_, at) =>
      new VirtualClient(
        reached,
        `d${at}`,
        (version) => (version === BAD ? "roll back" : "validate"),
        "1.0.0",
        (version) => hashes.get(version) ?? "1".repeat(64),
      ),
  );
  const versions = () => [...new Set(fleet.map(({ version }) => version))];

  async function startRollout(firmwareId: number): Promise<number> {
    const { id } = await admin<{ id: number }>("POST", "/api/rollouts", {
      firmware_id: firmwareId,
      stages: [
        { percent: 30, soak_seconds: 240, min_validated: 3 },
        { percent: 100, soak_seconds: 240 },
      ],
      gates: { max_rolled_back_fraction: 0.2, min_samples: 3 },
      max_concurrent: 5,
      lease_seconds: 1800,
    });
    await admin("POST", `/api/rollouts/${id}/start`, {});
    return id;
  }

  /** Until the rollout has left the state `running`. Returns that state, and why. */
  async function runFleet(id: number): Promise<{ readonly state: string; readonly reason: string }> {
    for (let turn = 0; turn < MAX_TURN_COUNT; turn++) {
      // All at once, on both servers.
      await Promise.all(fleet.map((client) => client.act()));
      nowMs += TURN_MS;
      const rollout = await admin<{ state: string; reason: string }>("GET", `/api/rollouts/${id}`);
      if (rollout.state !== "running") return rollout;
    }
    throw new Error(`rollout ${id} is still running after ${MAX_TURN_COUNT} turns`);
  }

  it("pause the rollout of an image that devices roll back, and bring its successor to all of them", async () => {
    const stream = await openStream(`${nginx.url}/api/events/stream`, asAdmin);
    await Promise.all(fleet.map((client) => client.act()));
    const bad = await startRollout(await upload(BAD));
    const paused = await runFleet(bad);
    expect(paused.state).equal("paused");
    expect(paused.reason).to.match(/rolled back/);
    // Those that had begun go back too.
    while (fleet.some(({ isUpdating }) => isUpdating))
      await Promise.all(fleet.filter(({ isUpdating }) => isUpdating).map((client) => client.act()));
    expect(versions()).deep.equal(["1.0.0"]);
    const { total } = await admin<{ total: number }>("GET", "/api/ota/admin/logs?status=failed");
    expect(total, "devices that had the bad image").within(2, 5);
    await admin("POST", `/api/rollouts/${bad}/cancel`, { reason: "replaced" });

    const good = await startRollout(await upload(GOOD));
    expect(await runFleet(good)).to.include({
      state: "finished",
      reason: `${DEVICE_COUNT} of ${DEVICE_COUNT} devices validated`,
    });
    expect(versions()).deep.equal([GOOD]);

    // The stream leads to one of the two, and shows what the other did as well.
    await stream.until(
      ({ event, data }) => event === "rollout" && data.id === good && data.state === "finished",
    );
    const seen = stream.messages
      .filter(({ event }) => event === "rollout")
      .map(({ data }) => `${data.id} ${data.state}`);
    expect(seen).to.include.members([
      `${bad} running`,
      `${bad} paused`,
      `${bad} cancelled`,
      `${good} running`,
    ]);
    const succeeded = stream.messages.filter(
      ({ event, data }) => event === "update" && data.status === "success",
    );
    expect(new Set(succeeded.map(({ data }) => data.device_id)).size).equal(DEVICE_COUNT);
    await stream.close();
    for (const count of requestCounts) expect(count, "requests of one server").above(50);
  });

  it("go on without a request lost when one of them ends", async () => {
    await apps[0]!.close();
    const before = requestCounts[1]!;
    for (let round = 0; round < 2; round++) await Promise.all(fleet.map((client) => client.act()));
    expect(requestCounts[1]! - before).equal(2 * DEVICE_COUNT);
    expect((await admin<{ state: string }>("GET", "/api/rollouts/2")).state).equal("finished");
  });
});

interface Message {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Follows server-sent events. */
async function openStream(url: string, headers: Record<string, string>) {
  const ended = new AbortController();
  const answer = await fetch(url, { headers, signal: ended.signal });
  expect(answer.status).equal(200);
  const messages: Message[] = [];
  let onMessage = () => {};
  let text = "";
  const reading = (async () => {
    const decoder = new TextDecoder();
    for await (const chunk of answer.body!) {
      text += decoder.decode(chunk, { stream: true });
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const event = /^event: (.*)$/m.exec(block)?.[1];
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (event !== undefined && data !== undefined) messages.push({ event, data: JSON.parse(data) });
      }
      onMessage();
    }
  })().catch(() => {});
  return {
    messages,
    until: (isIt: (message: Message) => boolean): Promise<void> =>
      new Promise((resolve) => {
        onMessage = () => {
          if (messages.some(isIt)) resolve();
        };
        onMessage();
      }),
    close: async () => {
      ended.abort();
      await reading;
    },
  };
}
