import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { type RunningServer, startServer } from "../../../server/start.js";
import { ask, type Cluster, postgresOrSkip } from "../../services/postgres.js";
import { makeRelease } from "../test-server.js";

describe("two servers on one database", () => {
  let cluster: Cluster;
  let url: string;
  let folder: string;
  let servers: RunningServer[] = [];
  before(async function () {
    cluster = await postgresOrSkip(this);
  });
  beforeEach(async () => {
    url = await cluster.newDatabase();
    folder = await mkdtemp(join(tmpdir(), "skyslot-shared-"));
    servers = await Promise.all(
      ["one", "two"].map((name) => startServer({ dataDir: join(folder, name), databaseUrl: url, port: 0 })),
    );
  });
  afterEach(async () => {
    await Promise.all(servers.map((server) => server.close()));
    await rm(folder, { recursive: true, force: true });
  });

  const check = async (server: RunningServer | undefined, id: string) => {
    const answer = await fetch(`${server?.url}/api/ota/check`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        device_id: id,
        device_type: "base",
        current_version: "1.0.0",
        current_build: 0,
      }),
    });
    expect(answer.status).to.equal(200);
    return (await answer.json()) as { update_available: boolean };
  };
  const upload = async (server: RunningServer | undefined, notes = "schön 💡") => {
    const made = await makeRelease("1.1.0");
    const form = new FormData();
    form.set("release", made.release);
    form.set("release_notes", notes);
    form.set("file", new Blob([new Uint8Array(made.image)]), "base.bin");
    const headers = { authorization: `Bearer ${server?.adminToken}` };
    const answer = await fetch(`${server?.url}/api/ota/admin/upload`, {
      method: "POST",
      body: form,
      headers,
    });
    expect(answer.status, await answer.text()).to.equal(201);
    return made;
  };
  /** A server's live events as they arrive; resolves when the stream is open. */
  const watch = async (server: RunningServer | undefined) => {
    const answer = await fetch(`${server?.url}/api/events/stream`);
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    const until = async (expected: string): Promise<string> => {
      while (!text.includes(expected)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`the stream ended before "${expected}", after ${text}`);
        text += value;
      }
      return text;
    };
    await until("event: ready");
    const ended = async () => {
      // Whatever way the server ends it.
      while (!(await reader.read().catch(() => ({ done: true }))).done) {}
    };
    return { until, ended };
  };

  it("offer on each what was uploaded to one", async () => {
    await upload(servers[0]);
    expect((await check(servers[1], "base-1")).update_available).to.equal(true);
  });

  it("notify the watchers of each about events at the other", async () => {
    const [one, two] = [await watch(servers[0]), await watch(servers[1])];
    await check(servers[0], "base-1");
    expect(await two.until("base-1 registered")).to.include("event: device");
    await check(servers[1], "base-2");
    await one.until("base-2 registered");
  });

  it("transmit records that are longer than a database notification", async () => {
    const two = await watch(servers[1]);
    const notes = `schön ${"💡".repeat(1_990)}`; // a NOTIFY carries less than 8 000 bytes
    await upload(servers[0], notes);
    expect(await two.until("firmware.uploaded")).to.include(notes);
  });

  it("handle simultaneous checks at both, each device once", async () => {
    await upload(servers[0]);
    const ids = Array.from({ length: 60 }, (_, n) => `base-${n % 12}`);
    await Promise.all(ids.map((id, n) => check(servers[n % 2], id)));
    const answer = await fetch(`${servers[0]?.url}/api/ota/admin/logs?limit=100`, {
      headers: { authorization: `Bearer ${servers[0]?.adminToken}` },
    });
    expect(((await answer.json()) as { total: number }).total).to.equal(12);
  });

  it("make watchers reload after a lost database connection", async () => {
    const two = await watch(servers[1]);
    await ask(
      url,
      "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'skyslot%'",
    );
    await two.ended();
    await check(servers[1], "base-3");
  });
});
