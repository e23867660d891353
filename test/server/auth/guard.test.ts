// The guard in front of routes of a minimal application: no server, no store.

import { expect } from "chai";
import Fastify, { type FastifyInstance } from "fastify";
import type { Context } from "../../../server/api/context.js";
import { guard } from "../../../server/api/guard.js";
import type { Actor } from "../../../server/shared/actor.js";
import { Refusal } from "../../../server/shared/refusal.js";

const ACTORS: Readonly<Record<string, Partial<Actor>>> = {
  reader: { kind: "user", scopes: ["read"] },
  program: { kind: "token", scopes: ["devices:write"] },
};
const auth = {
  identify: async (credential: string, address: string) => {
    const actor = ACTORS[credential];
    return actor && { name: credential, role: "viewer", deviceTypes: null, ...actor, address };
  },
};

let app: FastifyInstance;
before(async () => {
  app = Fastify();
  guard(app, { auth, settings: { openReads: true, publicUrl: undefined } } as unknown as Context);
  app.setErrorHandler((error, _request, reply) =>
    reply.code(400).send({ code: error instanceof Refusal ? error.code : "BUG" }),
  );
  const answer = async () => ({ code: "OK" });
  app.get("/public", { config: { access: "public" } }, answer);
  app.get("/read", { config: { access: "read" } }, answer);
  app.get("/known", { config: { access: "known" } }, answer);
  app.get("/person", { config: { access: "person" } }, answer);
  app.post("/devices", { config: { access: "devices:write" } }, answer);
  app.post("/read", { config: { access: "read" } }, answer);
  app.get("/forgotten", answer);
  await app.ready();
});
after(() => app.close());

interface Asked {
  readonly bearer?: string;
  readonly cookie?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

async function ask(route: string, { bearer, cookie, headers = {} }: Asked = {}): Promise<string> {
  const [method, url] = route.split(" ") as ["GET" | "POST", string];
  const answer = await app.inject({
    method,
    url,
    // Not local, unless a test says so.
    headers: {
      host: "updates.example.com",
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
      ...(cookie === undefined ? {} : { cookie: `skyslot_access=${cookie}` }),
      ...headers,
    },
  });
  return answer.json().code;
}

describe("the guard", () => {
  it("lets everyone access what is public, and nothing else", async () => {
    expect(await ask("GET /public")).to.equal("OK");
    for (const route of ["GET /read", "GET /known", "GET /person", "POST /devices", "GET /forgotten"])
      expect(await ask(route), route).to.equal("UNAUTHORIZED");
  });

  it("requires the scope that a route names", async () => {
    expect(await ask("GET /read", { bearer: "reader" })).to.equal("OK");
    expect(await ask("GET /known", { bearer: "program" })).to.equal("OK");
    expect(await ask("GET /read", { bearer: "program" })).to.equal("FORBIDDEN");
    expect(await ask("POST /devices", { bearer: "program" })).to.equal("OK");
    expect(await ask("POST /devices", { bearer: "reader" })).to.equal("FORBIDDEN");
    expect(await ask("GET /person", { bearer: "reader" })).to.equal("OK");
    expect(await ask("GET /person", { bearer: "program" })).to.equal("FORBIDDEN");
  });

  it("denies a route that names no access", async () => {
    expect(await ask("GET /forgotten", { bearer: "reader" })).to.equal("FORBIDDEN");
  });

  it("accepts a cookie for reads, and for changes from pages of this server", async () => {
    expect(await ask("GET /read", { cookie: "reader" })).to.equal("OK");
    const from = (origin: string) => ask("POST /read", { cookie: "reader", headers: { origin } });
    expect(await from("https://updates.example.com")).to.equal("OK");
    expect(await from("https://evil.example.com")).to.equal("CROSS_ORIGIN");
    expect(await ask("POST /read", { cookie: "reader" })).to.equal("CROSS_ORIGIN");
  });

  it("does not fall back to a cookie after a wrong Authorization", async () => {
    expect(await ask("GET /read", { bearer: "nobody", cookie: "reader" })).to.equal("UNAUTHORIZED");
    const headers = { authorization: "Basic cmVhZGVy" };
    expect(await ask("GET /read", { cookie: "reader", headers })).to.equal("UNAUTHORIZED");
  });

  it("lets direct local clients read, and change nothing", async () => {
    const host = { host: "localhost:8080" };
    expect(await ask("GET /read", { headers: host })).to.equal("OK");
    expect(await ask("POST /read", { headers: host })).to.equal("UNAUTHORIZED");
    expect(await ask("GET /read", { headers: { ...host, "x-forwarded-for": "192.0.2.1" } })).to.equal(
      "UNAUTHORIZED",
    );
    expect(await ask("GET /read", { headers: { host: "evil.example.com" } })).to.equal("UNAUTHORIZED");
  });
});
