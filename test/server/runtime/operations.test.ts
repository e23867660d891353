// What operators of the server need: health, metrics, request ids, limits.

import { chmod, rm, writeFile } from "node:fs/promises";
import { PassThrough } from "node:stream";
import { expect } from "chai";
import { pino } from "pino";
import { createApp } from "../../../server/app.js";
import { startBackground } from "../../../server/background.js";
import { makeRelease, TestServer } from "../test-server.js";

describe("the operation of a server", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open({ addressRate: { burst: 5, perSecond: 1 } });
  });
  afterEach(() => server.close());
  const get = (url: string, headers: Record<string, string> = {}) => server.app.inject({ url, headers });
  const metric = async (line: string | RegExp) => {
    const { body } = await server.admin("GET", "/metrics");
    return body
      .split("\n")
      .filter((text) => (typeof line === "string" ? text.startsWith(line) : line.test(text)));
  };

  it("is alive and ready, and lists its checks", async () => {
    expect((await get("/healthz")).json()).to.deep.equal({ status: "ok" });
    const ready = await get("/readyz");
    expect([ready.statusCode, ready.json()]).to.deep.equal([
      200,
      { status: "ready", checks: { server: "ok", database: "ok", blobs: "ok" } },
    ]);
  });

  it("is alive but not ready without its database", async () => {
    await server.store.close();
    expect((await get("/healthz")).statusCode).to.equal(200);
    const ready = await get("/readyz");
    expect(ready.statusCode).to.equal(503);
    expect(ready.json().checks.database).to.match(/^failed/);
    expect(ready.json().checks.blobs).to.equal("ok");
  });

  it("is not ready when its files cannot be written, and is again later", async () => {
    await rm(server.blobFolder, { recursive: true });
    await writeFile(server.blobFolder, "in the way");
    const ready = await get("/readyz");
    expect([ready.statusCode, ready.json().checks.blobs]).to.deep.equal([503, "failed: ENOTDIR"]);
    await chmod(server.blobFolder, 0o600);
  });

  it("is not ready while it shuts down", async () => {
    server.app.context.readiness.close();
    const ready = await get("/readyz");
    expect([ready.statusCode, ready.json().checks.server]).to.deep.equal([503, "is shutting down"]);
    expect((await get("/healthz")).statusCode).to.equal(200);
  });

  it("gives every request an id, and accepts a valid one", async () => {
    expect((await get("/healthz", { "x-request-id": "abc-1.2:3" })).headers["x-request-id"]).to.equal(
      "abc-1.2:3",
    );
    for (const id of ["", "a b", "a".repeat(65), 'x"}', "ü"]) {
      const answer = await get("/nowhere", { "x-request-id": id });
      expect(answer.headers["x-request-id"], id).to.match(/^[0-9a-f-]{36}$/);
    }
  });

  it("logs which account was refused, but no unknown name", async () => {
    await server.addUser("ada", "viewer");
    const out = new PassThrough();
    let log = "";
    out.on("data", (text) => {
      log += text;
    });
    const { store, blobs, auth } = server.app.context;
    const app = createApp({ store, blobs, auth, now: Date.now, log: pino({ level: "trace" }, out) });
    for (const name of ["ada", "hunter2hunter2"])
      await app.inject({
        method: "POST",
        url: "/api/auth/login",
        payload: { name, password: "wrong-wrong" },
      });
    await app.close();
    expect(log).to.contain('"name":"ada"').and.to.contain("LOGIN_FAILED");
    expect(log).not.to.contain("hunter2").and.not.to.contain("wrong-wrong");
  });

  it("writes the id into its log", async () => {
    const out = new PassThrough();
    let log = "";
    out.on("data", (text) => {
      log += text;
    });
    const { store, blobs, auth } = server.app.context;
    const app = createApp({ store, blobs, auth, now: Date.now, log: pino({ level: "debug" }, out) });
    await app.inject({ url: "/healthz", headers: { "x-request-id": "find-me" } });
    await app.close();
    expect(JSON.parse(log.trim().split("\n").at(-1) ?? "")).to.deep.include({
      reqId: "find-me",
      url: "/healthz",
      status: 200,
    });
  });

  it("limits the rate of an address, but not of a device", async () => {
    for (let n = 0; n < 5; n++) expect((await server.admin("GET", "/api/types")).statusCode).to.equal(200);
    const refused = await server.admin("GET", "/api/types");
    expect([refused.statusCode, refused.json().error, refused.headers["retry-after"]]).to.deep.equal([
      429,
      "TOO_MANY_REQUESTS",
      "1",
    ]);
    expect((await server.check()).statusCode).to.equal(200);
    expect((await get("/healthz")).statusCode).to.equal(200);
    server.nowMs += 1000;
    expect((await server.admin("GET", "/api/types")).statusCode).to.equal(200);
  });

  it("counts attempts by state, roll backs separately", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made);
    await server.check();
    expect(await metric('skyslot_attempts_open{status="pending"}')).to.deep.equal([
      'skyslot_attempts_open{status="pending"} 1',
    ]);
    await server.status({ status: "failed", error_code: "ROLLED_BACK" });
    await server.check({ device_id: "base-2" });
    await server.status({ device_id: "base-2", status: "failed", error_code: "FLASH_WRITE" });
    expect(await metric("skyslot_attempts_total")).to.have.members([
      'skyslot_attempts_total{result="rolled_back"} 1',
      'skyslot_attempts_total{result="failed"} 1',
    ]);
    expect(await metric('skyslot_attempts_open{status="pending"}')).to.deep.equal([
      'skyslot_attempts_open{status="pending"} 0',
    ]);
  });

  it("counts bytes of downloads, and measures requests by route and not by address", async () => {
    const made = await makeRelease("1.1.0");
    await server.upload(made);
    await get("/api/ota/download/1");
    await get("/api/ota/download/77");
    await get("/some/where");
    expect(await metric("skyslot_download_bytes_total")).to.deep.equal([
      `skyslot_download_bytes_total ${made.image.length}`,
    ]);
    const counts = await metric(/^skyslot_http_request_duration_seconds_count/);
    expect(counts.join("\n"))
      .to.include('{method="GET",route="/api/ota/download/:id",status="200"} 1')
      .and.to.include('{method="GET",route="/api/ota/download/:id",status="404"} 1')
      .and.to.include('{method="GET",route="none",status="404"} 1')
      .and.not.to.include("some");
  });

  it("measures its process while it runs", async () => {
    const background = startBackground(server.app.context, { server: server.app.server });
    try {
      const lines = (await metric(/^(process_|nodejs_)/)).join("\n");
      for (const name of [
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "nodejs_eventloop_lag_p99_seconds",
      ])
        expect(lines).to.include(name);
    } finally {
      await background.close();
    }
  });
});
