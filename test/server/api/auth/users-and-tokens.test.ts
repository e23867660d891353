import { expect } from "chai";
import { makeRelease, PASSWORD, TestServer } from "../../test-server.js";

const DAY_MS = 24 * 60 * 60_000;

describe("users", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  it("are added, listed and changed without any of their secrets", async () => {
    const added = await server.admin("POST", "/api/users", {
      name: "ada",
      role: "operator",
      password: PASSWORD,
    });
    expect(added.json()).to.deep.equal({
      name: "ada",
      role: "operator",
      is_active: true,
      has_password: true,
      created_at: new Date(server.nowMs).toISOString(),
      last_login_at: null,
    });
    expect((await server.admin("POST", "/api/users", { name: "ada", role: "viewer" })).statusCode).to.equal(
      409,
    );
    const changed = await server.admin("PATCH", "/api/users/ada", {
      role: "viewer",
      password: "another sentence",
    });
    expect(changed.json()).to.include({ role: "viewer" });
    const list = await server.admin("GET", "/api/users");
    expect(list.json()).to.deep.include({ users: [changed.json()], total: 1 });
    expect(list.body + changed.body).not.to.contain("scrypt");
    expect((await server.admin("PATCH", "/api/users/eve", { role: "viewer" })).statusCode).to.equal(404);
  });

  it("are refused with bad names, roles and passwords", async () => {
    const add = async (user: object) => (await server.admin("POST", "/api/users", user)).json().error;
    for (const name of ["", "A", "a", "-ada", "ada lovelace", "ada/..", "x".repeat(65)])
      expect(await add({ name, role: "viewer" }), name).to.equal("INVALID_REQUEST");
    expect(await add({ name: "ada", role: "root" })).to.equal("INVALID_REQUEST");
    for (const password of ["12345", "password123456", "ada.is.ada.is"])
      expect(await add({ name: "ada", role: "viewer", password }), password).to.equal("PASSWORD_WEAK");
  });

  it("always include an administrator, even with concurrent requests", async () => {
    await server.addUser("ada", "admin");
    await server.addUser("bob", "admin");
    const answers = await Promise.all([
      server.admin("PATCH", "/api/users/ada", { is_active: false }),
      server.admin("PATCH", "/api/users/bob", { role: "viewer" }),
    ]);
    expect(answers.map(({ statusCode }) => statusCode).sort()).to.deep.equal([200, 409]);
    expect(answers.find(({ statusCode }) => statusCode === 409)?.json().error).to.equal("LAST_ADMIN");
    expect(await server.store.countAdmins()).to.equal(1);
  });
});

describe("API tokens", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const make = async (token: string, body: object) =>
    server.as(token, "POST", "/api/tokens", { name: "ci", scopes: ["read"], ...body });

  it("are shown once, stored as a hash and record when they were used", async () => {
    const { access } = await server.addUser("ada", "operator");
    const answer = await make(access, { scopes: ["read", "releases:write"] });
    expect(answer.statusCode).to.equal(201);
    const { token, id } = answer.json();
    expect(token).to.match(/^ska_[\w-]{43}$/);
    const listed = (await server.as(access, "GET", "/api/tokens")).body;
    expect(listed).not.to.contain(token.slice(4));
    expect(JSON.parse(listed).tokens[0]).to.include({ id, user: "ada", last_used_at: null });
    expect(JSON.stringify(await server.store.findApiToken(id))).not.to.contain(token.slice(4));
    expect((await server.as(token, "GET", "/api/auth/me")).json()).to.deep.include({
      kind: "token",
      name: "ada (token ci)",
      scopes: ["read", "releases:write"],
    });
    expect((await server.store.findApiToken(id))?.lastUsedAt).to.equal(server.nowMs);
  });

  it("end when they expire, when they are revoked, and with their owner", async () => {
    const { access } = await server.addUser("ada", "admin");
    await server.addUser("bob", "admin");
    const works = async (token: string) => (await server.as(token, "GET", "/api/devices")).statusCode === 200;
    const expiring = (await make(access, { expires_in_days: 1 })).json();
    const revoked = (await make(access, { expires_in_days: null })).json();
    const owned = (await make(access, {})).json();
    expect(revoked.expires_at).to.equal(null);
    expect(await works(expiring.token)).to.equal(true);
    server.nowMs += DAY_MS;
    expect(await works(expiring.token)).to.equal(false);
    expect(await works(revoked.token)).to.equal(true);
    await server.admin("DELETE", `/api/tokens/${revoked.id}`);
    expect(await works(revoked.token)).to.equal(false);
    expect(await works(owned.token)).to.equal(true);
    await server.admin("PATCH", "/api/users/ada", { is_active: false });
    expect(await works(owned.token)).to.equal(false);
  });

  it("lose scopes when their owner does", async () => {
    const { access } = await server.addUser("ada", "operator");
    const { token } = (await make(access, { scopes: ["read", "audit:read"] })).json();
    expect((await server.as(token, "GET", "/api/audit")).statusCode).to.equal(200);
    await server.admin("PATCH", "/api/users/ada", { role: "viewer" });
    expect((await server.as(token, "GET", "/api/audit")).statusCode).to.equal(403);
    expect((await server.as(token, "GET", "/api/devices")).statusCode).to.equal(200);
  });

  it("cannot create tokens, and are created, seen and revoked by their owner and administrators only", async () => {
    const { access } = await server.addUser("ada", "operator");
    const { access: other } = await server.addUser("bob", "operator");
    const { token, id } = (await make(access, { scopes: ["read", "devices:write"] })).json();
    expect((await make(token, {})).statusCode).to.equal(403);
    expect((await server.as(other, "DELETE", `/api/tokens/${id}`)).statusCode).to.equal(404);
    expect((await server.as(other, "GET", "/api/tokens")).json().tokens).to.deep.equal([]);
    expect((await server.as(other, "GET", "/api/tokens?user=ada")).statusCode).to.equal(403);
    expect((await make(other, { user: "ada" })).statusCode).to.equal(403);
    expect((await server.admin("GET", "/api/tokens?all=true")).json().tokens).to.have.length(1);
    expect((await make(server.token, {})).json().error).to.equal("USER_MISSING");
    expect((await server.as(access, "DELETE", `/api/tokens/${id}`)).statusCode).to.equal(200);
  });

  it("for some device types change only those", async () => {
    const { access } = await server.addUser("ada", "operator");
    const scopes = ["read", "releases:write"];
    const { token: led } = (await make(access, { scopes, device_types: ["led"] })).json();
    const { token: base } = (await make(access, { scopes, device_types: ["led", "base"] })).json();
    const made = await makeRelease("1.1.0");
    const refused = await server.upload(made, {}, led);
    expect([refused.statusCode, refused.json().error]).to.deep.equal([403, "FORBIDDEN"]);
    expect((await server.upload(made, {}, base)).statusCode).to.equal(201);
    const url = "/api/ota/admin/firmware/1";
    expect((await server.as(led, "PATCH", url, { is_stable: false })).statusCode).to.equal(403);
    expect((await server.as(led, "DELETE", url)).statusCode).to.equal(403);
    expect((await server.as(base, "PATCH", url, { is_stable: false })).statusCode).to.equal(200);
  });
});
