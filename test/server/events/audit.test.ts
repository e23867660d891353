import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect } from "chai";
import pg from "pg";
import { HERE } from "../../../server/auth/auth.js";
import { describeChange } from "../../../server/events/audit.js";
import { record, recordChange } from "../../../server/events/journal.js";
import { Live } from "../../../server/events/live.js";
import { openPostgresStore } from "../../../server/store/postgres.js";
import { openSqliteStore } from "../../../server/store/sqlite.js";
import { postgresOrSkip } from "../../services/postgres.js";
import { makeRelease, PASSWORD, TestServer } from "../test-server.js";

const ENTRY = {
  time: 1,
  actor: "ada",
  actorKind: "user",
  userId: null,
  address: "::1",
  action: "user.added",
  subject: "user/eve",
  before: null,
  after: null,
};

describe("the audit log", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());
  const entries = async (query = "") => (await server.admin("GET", `/api/audit${query}`)).json().entries;

  it("records who changed what, from where, with the old and the new values", async () => {
    await server.upload(await makeRelease("1.1.0"));
    const { access } = await server.addUser("ada", "operator");
    await server.as(access, "PATCH", "/api/ota/admin/firmware/1", { is_stable: false, release_notes: "bad" });
    const [entry] = await entries("?subject=firmware/1");
    expect(entry).to.deep.include({
      actor: "ada",
      actor_kind: "user",
      address: "127.0.0.1",
      action: "firmware.changed",
      subject: "firmware/1",
      before: { is_stable: true, release_notes: null },
      after: { is_stable: false, release_notes: "bad" },
    });
    const [, uploaded] = await entries("?subject=firmware/1");
    expect(uploaded).to.deep.include({
      actor: "local administrator",
      action: "firmware.uploaded",
      before: null,
    });
    expect(uploaded.after).to.include({ version: "1.1.0", device_type: "base" });
  });

  it("has a line for every change of users, tokens and sessions, and no secrets", async () => {
    const { access, refresh } = await server.addUser("ada", "admin");
    const token = (await server.as(access, "POST", "/api/tokens", { name: "ci", scopes: ["read"] })).json();
    await server.admin("DELETE", `/api/tokens/${token.id}`);
    const { link } = (await server.admin("POST", "/api/users", { name: "bob", role: "admin" })).json();
    await server.admin("PATCH", "/api/users/bob", { role: "viewer" });
    await server.admin("PATCH", "/api/users/bob", { is_active: false });
    await server.admin("PATCH", "/api/users/bob", { is_active: true });
    await server.as(access, "POST", "/api/auth/password", {
      current_password: PASSWORD,
      new_password: "a better sentence",
    });
    await server.as(access, "POST", "/api/auth/logout", {});
    const all = await entries();
    expect(all.map(({ action }: { action: string }) => action).reverse()).to.deep.equal([
      "user.added",
      "session.started",
      "token.created",
      "token.revoked",
      "user.added",
      "user.invited",
      "user.role",
      "user.disabled",
      "user.enabled",
      "user.password",
      "session.ended",
    ]);
    const text = JSON.stringify(all);
    for (const secret of [
      PASSWORD,
      "a better sentence",
      token.token,
      link.split("#")[1],
      access,
      refresh,
      "scrypt",
    ])
      expect(text).not.to.contain(secret);
  });

  it("has no line for requests that change nothing, but one for every token that is issued", async () => {
    await server.upload(await makeRelease("1.1.0"));
    await server.check();
    const hook = (
      await server.admin("POST", "/api/webhooks", { url: "https://hooks.test/a", events: ["rollout.*"] })
    ).json();
    await server.admin("PUT", "/api/types/base", { kind: "signed" });
    const twice = [
      ["PATCH", "/api/ota/admin/firmware/1", { release_notes: "new" }],
      ["PATCH", `/api/webhooks/${hook.id}`, { description: "chat" }],
      ["PATCH", "/api/devices/base-010203", { tags: ["lab"], pin: "1.1.0" }],
      ["PUT", "/api/types/base", { kind: "legacy" }],
      ["POST", "/api/device-identities/change", { device_ids: ["base-010203"], action: "rotate-token" }],
    ] as const;
    for (const [method, path, body] of twice) {
      expect((await server.admin(method, path, body)).statusCode, path).to.be.oneOf([200, 201]);
      const before = await entries();
      server.nowMs += 60_000;
      expect((await server.admin(method, path, body)).statusCode, path).to.be.oneOf([200, 201]);
      expect(await entries(), path).to.deep.equal(before);
    }
    for (const wanted of [1, 2, 3]) {
      await server.admin("POST", "/api/device-identities/base-010203/token", {});
      expect(await entries("?action=device.token-given")).to.have.length(wanted);
    }
    await server.admin("PATCH", `/api/webhooks/${hook.id}`, { rotate_secret: true });
    const [rotated] = await entries();
    expect(rotated.after).to.deep.include({ secret: "(secret)" });
  });

  it("is filtered and paged", async () => {
    for (const name of ["ada", "bob", "eve"])
      await server.admin("POST", "/api/users", { name, role: "viewer" });
    server.nowMs += 60_000;
    await server.admin("PATCH", "/api/users/eve", { role: "operator" });
    const since = new Date(server.nowMs).toISOString();
    expect(await entries(`?since=${since}`)).to.have.length(1);
    expect(await entries(`?until=${since}`)).to.have.length(6);
    expect(await entries("?action=user.role")).to.have.length(1);
    expect(await entries("?action=user")).to.have.length(7);
    const page = (await server.admin("GET", "/api/audit?limit=5")).json();
    expect(page.entries).to.have.length(5);
    expect(await entries(`?limit=5&before=${page.next_before}`)).to.have.length(2);
    expect((await server.admin("GET", "/api/audit?since=yesterday")).statusCode).to.equal(400);
    expect((await server.admin("GET", "/api/audit?since=2026-99-99")).statusCode).to.equal(400);
  });

  it("is written with the change or not at all", async () => {
    const context = { store: server.store, live: new Live(), now: () => server.nowMs };
    const actor = { ...HERE, address: "::1" };
    const user = { name: "ada", role: "viewer", passwordHash: null, createdAt: 1 } as const;
    const failure = (work: Promise<unknown>) => work.catch((error: Error) => error.message);
    const unaudited = recordChange(context, actor, ({ store }) => store.addUser(user));
    expect(await failure(unaudited)).to.contain("without a line in the audit log");
    const failed = recordChange(context, actor, async (journal) => {
      await journal.audit({ action: "user.added", subject: "user/ada" });
      throw new Error("no");
    });
    expect(await failure(failed)).to.equal("no");
    const anonymous = record(context, (journal) =>
      journal.audit({ action: "user.added", subject: "user/ada" }),
    );
    expect(await failure(anonymous)).to.contain("has no actor");
    expect(await entries()).to.deep.equal([]);
    expect(await server.store.findUserByName("ada")).to.equal(undefined);
  });

  it("contains only the fields that differ, no secrets at any depth, and no long texts", () => {
    const described = describeChange({
      action: "a.b",
      subject: "a/1",
      before: { name: "x", same: [1], password: "old", list: [{ token: "t", kept: 1 }] },
      after: {
        name: "y".repeat(600),
        same: [1],
        password: "new",
        list: [],
        gone: undefined,
        tokens: "first-use",
      },
    });
    expect(described.before).to.deep.equal({
      name: "x",
      password: "(secret)",
      list: [{ token: "(secret)", kept: 1 }],
    });
    expect(described.after).to.deep.equal({
      name: `${"y".repeat(500)}…`,
      password: "(secret)",
      list: [],
      tokens: "first-use",
    });
  });

  it("is protected from changes by SQLite itself", async () => {
    const folder = await mkdtemp(join(tmpdir(), "skyslot-audit-"));
    const file = join(folder, "skyslot.db");
    const store = await openSqliteStore(file);
    await store.addAudit(ENTRY);
    await store.close();
    const database = new Database(file);
    expect(() => database.exec("update audit set actor = 'eve'")).to.throw("append only");
    expect(() => database.exec("delete from audit")).to.throw("append only");
    database.close();
    await rm(folder, { recursive: true });
  });

  it("is protected from changes by PostgreSQL itself", async function () {
    const cluster = await postgresOrSkip(this);
    const url = await cluster.newDatabase();
    const store = await openPostgresStore(url);
    await store.addAudit(ENTRY);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    for (const statement of ["update audit set actor = 'eve'", "delete from audit", "truncate audit"])
      expect(await client.query(statement).catch((error: Error) => error.message), statement).to.contain(
        "append only",
      );
    await client.end();
    await store.close();
  });
});
