import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { InjectOptions } from "fastify";
import { SignJWT } from "jose";
import { createAuth, openAuth } from "../../server/auth.js";
import { START_MS, TestServer } from "./test-server.js";

const READS = ["/api/devices", "/api/events", "/api/ota/admin/firmware", "/api/ota/admin/logs", "/metrics"];
const WRITES: readonly [InjectOptions["method"], string][] = [
  ["POST", "/api/ota/admin/upload"],
  ["POST", "/api/ota/admin/firmware"],
  ["PATCH", "/api/ota/admin/firmware/1"],
  ["DELETE", "/api/ota/admin/firmware/1"],
];

/** Method and path of every route in Fastify's drawing of them. */
function routesOf(drawing: string): (readonly ["GET" | "HEAD" | "POST" | "PATCH" | "DELETE", string])[] {
  const parents: string[] = [];
  return drawing.split("\n").flatMap((line) => {
    const [, indent = "", part = "", methods = ""] = /^(.*?── )(\S+) \(([A-Z, ]+)\)/.exec(line) ?? [];
    if (part === "") return [];
    const depth = indent.length / 4 - 1;
    parents[depth] = `${depth > 0 ? parents[depth - 1] : ""}${part}`;
    const path = parents[depth];
    return methods.split(", ").map((method) => [method as "GET", path] as const);
  });
}

describe("access", () => {
  let server: TestServer;
  afterEach(() => server.close());
  const status = async (options: InjectOptions) => (await server.app.inject(options)).statusCode;

  it("is denied by default, with a challenge", async () => {
    server = await TestServer.open();
    for (const url of READS) expect(await status({ url }), url).to.equal(401);
    for (const [method, url] of WRITES)
      expect(await status({ method: method as "POST", url }), url).to.equal(401);
    const answer = await server.app.inject("/api/devices");
    expect(answer.headers["www-authenticate"]).to.match(/^Bearer/);
    expect(answer.json().error).to.equal("UNAUTHORIZED");
  });

  it("is denied to every route that exists but a named few", async () => {
    server = await TestServer.open();
    const open: string[] = [];
    for (const [method, path] of routesOf(server.app.printRoutes({ commonPrefix: false }))) {
      const answer = await server.app.inject({ method, url: path.replace(":id", "1") });
      if (answer.statusCode !== 401) open.push(`${method} ${path}`);
    }
    expect(open).to.deep.equal([
      "GET /",
      "POST /api/ota/check",
      "POST /api/ota/status",
      "GET /api/ota/download/:id",
      "HEAD /api/ota/download/:id",
      "GET /api/ota/files/:sha256",
      "HEAD /api/ota/files/:sha256",
      "GET /api/content/:id",
      "HEAD /api/content/:id",
      "POST /api/devices/register",
      "POST /api/devices/:id/heartbeat",
      "GET /api/arduino/:type",
      "GET /api/web-tools/:type/manifest.json",
      "GET /api/v1/ota/updates/pending",
      "POST /api/v1/ota/updates/:id/nodes",
      "POST /api/v1/ota/updates/:id/finish",
      "POST /api/session",
      "GET /manifest",
      "GET /healthz",
      "GET /dashboard/client.js",
      "GET /dashboard/client.css",
      "GET /:tenant/controller/v1/:id",
      "PUT /:tenant/controller/v1/:id/configData",
      "GET /:tenant/controller/v1/:id/cancelAction/:action",
      "POST /:tenant/controller/v1/:id/cancelAction/:action/feedback",
      "GET /:tenant/controller/v1/:id/deploymentBase/:action",
      "POST /:tenant/controller/v1/:id/deploymentBase/:action/feedback",
    ]);
  });

  it("is open to everyone for devices and health", async () => {
    server = await TestServer.open();
    expect((await server.check()).statusCode).to.equal(200);
    expect(await status({ url: "/healthz" })).to.equal(200);
    expect(await status({ url: "/" })).to.equal(200);
    expect((await server.app.inject("/")).body).to.contain('data-signed-in="false"');
  });

  it("is given by a token that is ours, signed as we sign and not expired", async () => {
    server = await TestServer.open();
    const ask = (token: string) =>
      status({ url: "/api/devices", headers: { authorization: `Bearer ${token}` } });
    expect(await ask(server.token)).to.equal(200);
    const stranger = createAuth(Buffer.alloc(32, 8), () => START_MS);
    expect(await ask(await stranger.issue("admin", 1e6))).to.equal(401);
    const soon = await server.auth.issue("admin", 60_000);
    expect(await ask(soon)).to.equal(200);
    server.nowMs += 61_000;
    expect(await ask(soon)).to.equal(401);
    const unsigned = `${Buffer.from('{"alg":"none"}').toString("base64url")}.${soon.split(".")[1]}.`;
    expect(await ask(unsigned)).to.equal(401);
    const withoutEnd = await new SignJWT({ sub: "admin", iss: "skyslot" })
      .setProtectedHeader({ alg: "HS256" })
      .sign(Buffer.alloc(32, 7));
    expect(await ask(withoutEnd)).to.equal(401);
    expect(await ask("")).to.equal(401);
  });

  describe("from this machine", () => {
    const local: InjectOptions = {
      url: "/api/devices",
      remoteAddress: "127.0.0.1",
      headers: { host: "localhost:8080" },
    };

    it("is open for reads when the server listens on loopback only", async () => {
      server = await TestServer.open({ openReads: true });
      for (const url of READS) expect(await status({ ...local, url }), url).to.equal(200);
      expect(await status({ ...local, remoteAddress: "::1", headers: { host: "[::1]:8080" } })).to.equal(200);
      for (const [method, url] of WRITES) {
        expect(await status({ ...local, method: method as "POST", url }), url).to.equal(401);
      }
    });

    it("is closed to other peers, to other host names and behind a proxy", async () => {
      server = await TestServer.open({ openReads: true });
      expect(await status({ ...local, remoteAddress: "192.168.1.7" })).to.equal(401);
      for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]) {
        expect(await status({ ...local, headers: { host } }), host).to.equal(401);
      }
      expect(
        await status({ ...local, headers: { host: "localhost", "x-forwarded-for": "1.2.3.4" } }),
      ).to.equal(401);
    });

    it("is closed with a wrong token, even so", async () => {
      server = await TestServer.open({ openReads: true });
      expect(await status({ ...local, headers: { host: "localhost", authorization: "Bearer x" } })).to.equal(
        401,
      );
    });
  });

  describe("by the dashboard's sign-in", () => {
    const signIn = (token: string) =>
      server.app.inject({ method: "POST", url: "/api/session", payload: { token } });

    it("is a cookie for reads that scripts cannot see", async () => {
      server = await TestServer.open();
      const answer = await signIn(server.token);
      const cookie = `${answer.headers["set-cookie"]}`;
      expect(cookie).to.contain("HttpOnly").and.to.contain("SameSite=Strict");
      const headers = { cookie: cookie.split(";")[0] ?? "" };
      expect(await status({ url: "/api/devices", headers })).to.equal(200);
      for (const [method, url] of WRITES) {
        expect(await status({ method: method as "POST", url, headers }), url).to.equal(401);
      }
      server.nowMs += 13 * 3_600_000;
      expect(await status({ url: "/api/devices", headers })).to.equal(401);
    });

    it("is refused with a wrong token", async () => {
      server = await TestServer.open();
      expect((await signIn("nonsense")).statusCode).to.equal(401);
    });
  });
});

describe("the keys of a data folder", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-auth-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const mode = async (name: string) => ((await stat(join(folder, name))).mode & 0o777).toString(8);

  it("are made at the first start, for their owner only, and stay", async () => {
    const first = await openAuth(folder, () => START_MS);
    expect([await mode("jwt.key"), await mode("admin.token")]).to.deep.equal(["600", "600"]);
    expect((await readFile(first.tokenFile, "utf8")).trim()).to.equal(first.adminToken);
    const second = await openAuth(folder, () => START_MS + 1000);
    expect(second.adminToken).to.equal(first.adminToken);
    expect(await second.auth.verify(first.adminToken)).to.equal("admin");
  });

  it("renew the token in the last month of its year", async () => {
    const first = await openAuth(folder, () => START_MS);
    const later = START_MS + 340 * 86_400_000;
    const second = await openAuth(folder, () => later);
    expect(second.adminToken).not.to.equal(first.adminToken);
    expect(await second.auth.verify(second.adminToken)).to.equal("admin");
  });

  it("are the same for two servers that start at once", async () => {
    const [a, b] = await Promise.all([openAuth(folder, () => START_MS), openAuth(folder, () => START_MS)]);
    expect(await b.auth.verify(a.adminToken)).to.equal("admin");
    expect(await a.auth.verify(b.adminToken)).to.equal("admin");
  });

  it("are not accepted when they are cut", async () => {
    await writeFile(join(folder, "jwt.key"), "short");
    expect(await openAuth(folder, () => START_MS).catch((error: Error) => error.message)).to.match(
      /holds 3 bytes, a key is 32/,
    );
  });
});
