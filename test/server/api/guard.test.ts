import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import type { InjectOptions } from "fastify";
import type { RouteAccess } from "../../../server/api/guard.js";
import { openLocalToken } from "../../../server/auth/local-token.js";
import { PAGE_PATHS } from "../../../server/dashboard/paths.js";
import { type Need, ROLES, SCOPE_NAMES, scopesOf } from "../../../server/shared/permissions.js";
import { TestServer } from "../test-server.js";

/** Public routes. A route that is added here needs a reason. */
const PUBLIC = [
  ...PAGE_PATHS.map((path) => `GET ${path}`),
  "GET /api/auth/session",
  "GET /api/v1/roots/:version",
  "GET /dashboard/client.css",
  "GET /dashboard/client.js",
  "GET /healthz",
  "GET /readyz",
  "GET /setup",
  "POST /api/auth/login",
  "POST /api/auth/logout",
  "POST /api/auth/refresh",
  "POST /api/setup",
  "POST /api/setup/look",
].sort();
/** Routes of devices, which authenticate in their own way. */
const DEVICE = [
  "GET /:tenant/controller/v1/:id",
  "GET /:tenant/controller/v1/:id/cancelAction/:action",
  "GET /:tenant/controller/v1/:id/deploymentBase/:action",
  "GET /:tenant/controller/v1/:id/deploymentBase/:action/artifacts/:filename",
  "GET /api/arduino/:type",
  "GET /api/content/:id",
  "GET /api/ota/download/:id",
  "GET /api/ota/download/:id/digests",
  "GET /api/ota/download/:id/release",
  "GET /api/ota/files/:sha256",
  "GET /api/v1/systems/:name/manifest",
  "GET /api/web-tools/:type/manifest.json",
  "GET /firmware/:device/:version",
  "GET /manifest",
  "HEAD /:tenant/controller/v1/:id/deploymentBase/:action/artifacts/:filename",
  "HEAD /api/content/:id",
  "HEAD /api/ota/download/:id",
  "HEAD /api/ota/download/:id/digests",
  "HEAD /api/ota/files/:sha256",
  "HEAD /firmware/:device/:version",
  "POST /:tenant/controller/v1/:id/cancelAction/:action/feedback",
  "POST /:tenant/controller/v1/:id/deploymentBase/:action/feedback",
  "POST /api/devices/:id/heartbeat",
  "POST /api/devices/register",
  "POST /api/ota/abilities",
  "POST /api/ota/check",
  "POST /api/ota/freshness",
  "POST /api/ota/status",
  "PUT /:tenant/controller/v1/:id/configData",
];

/** Long enough for the rate limit of an address to reset. */
const MINUTE_MS = 60_000;

describe("access", () => {
  let server: TestServer;
  afterEach(() => server.close());

  const routes = () => server.app.routeAccess.filter(({ method }) => method !== "OPTIONS");
  const nameOf = ({ method, url }: RouteAccess) => `${method} ${url}`;
  const named = (need: Need) =>
    routes()
      .filter(({ access }) => access === need)
      .map(nameOf)
      .sort();
  const ask = async ({ method, url }: RouteAccess, token?: string): Promise<number> => {
    const options: InjectOptions = {
      method: method as "GET",
      url: url.replace(/:[a-z]+/g, "1"),
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
    };
    return (await server.app.inject(options)).statusCode;
  };
  /** A live stream never ends: it is not requested with a token that opens it. */
  const endsByItself = ({ url }: RouteAccess) => !url.endsWith("/stream");

  it("is declared by every route, and open to the world for a named few only", async () => {
    server = await TestServer.open();
    await server.app.ready();
    const known: readonly (Need | undefined)[] = ["public", "device", "known", "person", ...SCOPE_NAMES];
    expect(routes().length).to.be.above(25);
    expect(
      routes()
        .filter(({ access }) => !known.includes(access))
        .map(nameOf),
    ).to.deep.equal([]);
    // The description of the API is for everyone: openapi.test.ts.
    expect(named("public").filter((name) => !name.includes("/api/docs"))).to.deep.equal(PUBLIC);
    expect(named("device")).to.deep.equal(DEVICE);
  });

  it("is denied to unknown clients, by every other route, with a challenge", async () => {
    server = await TestServer.open();
    await server.app.ready();
    const guarded = routes().filter(({ access }) => access !== "public" && access !== "device");
    for (const route of guarded) {
      expect(await ask(route), nameOf(route)).to.equal(401);
      expect(await ask(route, "ska_nonsense"), nameOf(route)).to.equal(401);
    }
    const answer = await server.app.inject("/api/devices");
    expect(answer.headers["www-authenticate"]).to.match(/^Bearer/);
    expect(answer.json().error).to.equal("UNAUTHORIZED");
  });

  it("is granted by every route to exactly the roles that have its scope", async () => {
    server = await TestServer.open();
    await server.app.ready();
    for (const role of ROLES) {
      server.nowMs += MINUTE_MS;
      const { access: token } = await server.addUser(`the-${role}`, role);
      for (const route of routes().filter(endsByItself)) {
        const { access } = route;
        if (access === "public" || access === "device") continue;
        const status = await ask(route, token);
        const isForAll = access === "known" || access === "person";
        const isAllowed = isForAll || scopesOf(role).some((scope) => scope === access);
        if (isAllowed) expect(status, `${role}: ${nameOf(route)}`).not.to.be.oneOf([401, 403]);
        else expect(status, `${role}: ${nameOf(route)}`).to.equal(403);
      }
    }
  });

  it("is granted to an API token for its own scopes only, and never beyond its owner's role", async () => {
    server = await TestServer.open();
    await server.app.ready();
    await server.addUser("ada", "operator");
    for (const scope of scopesOf("operator")) {
      server.nowMs += MINUTE_MS;
      const made = await server.admin("POST", "/api/tokens", {
        name: scope.replace(":", " "),
        scopes: [scope],
        user: "ada",
      });
      const { token } = made.json();
      for (const route of routes().filter(endsByItself)) {
        const { access } = route;
        if (access === "public" || access === "device") continue;
        const status = await ask(route, token);
        if (access === scope || access === "known")
          expect(status, `${scope}: ${nameOf(route)}`).not.to.be.oneOf([401, 403]);
        else expect(status, `${scope}: ${nameOf(route)}`).to.equal(403);
      }
    }
    const refused = await server.admin("POST", "/api/tokens", {
      name: "x",
      scopes: ["users:write"],
      user: "ada",
    });
    expect([refused.statusCode, refused.json().error]).to.deep.equal([403, "FORBIDDEN"]);
  });

  it("is denied by a route that declares none, even to administrators", async () => {
    server = await TestServer.open();
    server.app.get("/undeclared", async () => "open");
    expect((await server.app.inject("/undeclared")).statusCode).to.equal(401);
    const answer = await server.admin("GET", "/undeclared");
    expect(answer.statusCode).to.equal(403);
    expect(answer.json().message).to.contain("is not accessible");
  });

  it("sends browsers headers that isolate pages and answers", async () => {
    server = await TestServer.open({ publicUrl: "https://updates.example.com" });
    const page = (await server.app.inject("/")).headers;
    expect(page["content-security-policy"])
      .to.contain("script-src 'self'")
      .and.to.contain("frame-ancestors 'none'");
    expect(page["content-security-policy"]).not.to.contain("unsafe");
    const api = (await server.app.inject("/api/devices")).headers;
    expect(api["content-security-policy"]).to.equal("default-src 'none'; frame-ancestors 'none'");
    for (const headers of [page, api])
      expect(headers).to.include({
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "strict-transport-security": "max-age=31536000",
      });
  });

  it("is not cacheable, whatever the answer, unless a route says otherwise", async () => {
    server = await TestServer.open();
    await server.app.ready();
    const reads = routes().filter((route) => route.method === "GET" && endsByItself(route));
    for (const { url } of reads) {
      const path = url.replace(/:[a-z]+/g, "1");
      for (const token of [server.token, "wrong"])
        expect((await server.as(token, "GET", path)).headers, path).to.have.property("cache-control");
    }
    for (const path of ["/api/users", "/api/ota/download/7", "/nothing"])
      expect((await server.admin("GET", path)).headers, path).to.include({ "cache-control": "no-store" });
  });

  describe("from this machine", () => {
    const local: InjectOptions = {
      url: "/api/devices",
      remoteAddress: "127.0.0.1",
      headers: { host: "localhost:8080" },
    };
    const status = async (options: InjectOptions) => (await server.app.inject(options)).statusCode;

    it("is granted to read like a viewer when the server listens on loopback only", async () => {
      server = await TestServer.open({ openReads: true });
      await server.app.ready();
      for (const { method, url, access } of routes().filter(endsByItself)) {
        if (access === "public" || access === "device") continue;
        const options = { ...local, method: method as "GET", url: url.replace(/:[a-z]+/g, "1") };
        const answer = await status(options);
        if (method === "GET" && (access === "read" || access === "known"))
          expect(answer, url).not.to.be.oneOf([401, 403]);
        else expect(answer, `${method} ${url}`).to.be.oneOf([401, 403]);
      }
      expect(await status({ ...local, remoteAddress: "::1", headers: { host: "[::1]:8080" } })).to.equal(200);
      expect((await server.app.inject({ ...local, url: "/api/auth/me" })).json()).to.include({
        kind: "here",
        role: "viewer",
      });
    });

    it("is denied to other peers, for other host names and behind a proxy", async () => {
      server = await TestServer.open({ openReads: true });
      expect(await status({ ...local, remoteAddress: "192.168.1.7" })).to.equal(401);
      for (const host of ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example"]) {
        expect(await status({ ...local, headers: { host } }), host).to.equal(401);
      }
      expect(
        await status({ ...local, headers: { host: "localhost", "x-forwarded-for": "1.2.3.4" } }),
      ).to.equal(401);
    });

    it("is denied with a wrong token", async () => {
      server = await TestServer.open({ openReads: true });
      expect(await status({ ...local, headers: { host: "localhost", authorization: "Bearer x" } })).to.equal(
        401,
      );
    });
  });
});

describe("the local administrator's token", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-auth-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const mode = async (name: string) => ((await stat(join(folder, name))).mode & 0o777).toString(8);

  it("is created at the first start, readable by its owner only, and stays", async () => {
    const first = await openLocalToken(folder);
    expect(await mode("admin.token")).to.equal("600");
    expect((await readFile(first.file, "utf8")).trim()).to.equal(first.token);
    expect((await openLocalToken(folder)).token).to.equal(first.token);
  });

  it("is the same for two servers that start at once", async () => {
    const [a, b] = await Promise.all([openLocalToken(folder), openLocalToken(folder)]);
    expect(a.token).to.equal(b.token);
  });

  it("stays the one that an older version created, whose key is removed", async () => {
    const former = `${"a".repeat(36)}.${"b".repeat(80)}.${"c".repeat(43)}`;
    await writeFile(join(folder, "admin.token"), `${former}\n`, { mode: 0o644 });
    await writeFile(join(folder, "jwt.key"), "k".repeat(43));
    expect((await openLocalToken(folder)).token).to.equal(former);
    expect(await mode("admin.token")).to.equal("600");
    expect(await stat(join(folder, "jwt.key")).catch((error) => error.code)).to.equal("ENOENT");
  });

  it("is not accepted when it is truncated", async () => {
    await writeFile(join(folder, "admin.token"), "short");
    expect(await openLocalToken(folder).catch((error: Error) => error.message)).to.match(
      /holds 5 characters, a token has 32 at least/,
    );
  });
});
