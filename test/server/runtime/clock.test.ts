import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect } from "chai";
import { COUNTED, HAPPENED } from "../../../server/store/sql/clock.js";
import { makeRelease, PASSWORD, START_MS, TestServer } from "../test-server.js";

const YEARS_MS = 10 * 365 * 24 * 60 * 60_000;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

describe("a clock that was ahead and is set back", () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await TestServer.open();
  });
  afterEach(() => server.close());

  const logIn = (password: string) =>
    server.app.inject({
      method: "POST",
      url: "/api/auth/login",
      payload: { name: "ada", password },
    });

  for (const [howFar, aheadMs] of [
    ["ten years", YEARS_MS],
    ["two days", 2 * DAY],
    ["an hour", 60 * MINUTE],
  ] as const)
    it(`by ${howFar} refuses no sign-in for longer than it would have`, async () => {
      await server.addUser("ada", "viewer");
      server.nowMs += aheadMs;
      for (let n = 0; n < 8; n++) await logIn("wrong");
      expect((await logIn(PASSWORD)).statusCode).equal(429);
      server.nowMs = START_MS;
      const refused = await logIn(PASSWORD);
      expect(Number(refused.headers["retry-after"] ?? 0)).to.be.at.most(30);
      server.nowMs += 5 * MINUTE;
      expect((await logIn(PASSWORD)).statusCode).equal(200);
    });

  it("takes no access token for longer than its time, and keeps the session for its month", async () => {
    server.nowMs += YEARS_MS;
    const { access, refresh } = await server.addUser("ada", "viewer");
    expect((await server.as(access, "GET", "/api/devices")).statusCode).equal(200);
    server.nowMs = START_MS;
    expect((await server.as(access, "GET", "/api/devices")).statusCode).equal(401);
    const renew = (refresh_token: string) =>
      server.app.inject({ method: "POST", url: "/api/auth/refresh", payload: { refresh_token } });
    const renewed = (await renew(refresh)).json();
    const fresh = renewed.access_token as string;
    expect((await server.as(fresh, "GET", "/api/devices")).statusCode).equal(200);
    server.nowMs += 16 * MINUTE;
    expect((await server.as(fresh, "GET", "/api/devices")).statusCode).equal(401);
    server.nowMs = START_MS + 31 * DAY;
    expect((await renew(renewed.refresh_token ?? refresh)).statusCode).equal(401);
  });

  it("keeps an API token for as long as was asked, and a link for its week", async () => {
    await server.addUser("ada", "admin");
    server.nowMs += YEARS_MS;
    const { access } = await server.logIn("ada");
    const made = await server.as(access, "POST", "/api/tokens", {
      name: "ci",
      scopes: ["read"],
      expires_in_days: 2,
    });
    const { token } = made.json();
    const { link } = (await server.admin("POST", "/api/users", { name: "bob", role: "viewer" })).json();
    const look = () =>
      server.app.inject({
        method: "POST",
        url: "/api/setup/look",
        payload: { token: String(link).split("#")[1] },
      });
    server.nowMs = START_MS;
    expect((await server.as(token, "GET", "/api/devices")).statusCode).equal(200);
    expect((await look()).statusCode).equal(200);
    server.nowMs += 2 * DAY + MINUTE;
    expect((await server.as(token, "GET", "/api/devices")).statusCode).equal(401);
    server.nowMs = START_MS + 7 * DAY + MINUTE;
    expect((await look()).statusCode).not.equal(200);
  });

  it("signs with a key of its own time: keys change every month", async () => {
    server.nowMs += YEARS_MS;
    await server.addUser("ada", "viewer");
    server.nowMs = START_MS;
    await server.logIn("ada");
    const [key] = await server.store.listSigningKeys();
    expect(key?.createdAt).to.be.at.most(START_MS);
    server.nowMs = START_MS + 31 * DAY;
    await server.logIn("ada");
    expect((await server.store.listSigningKeys())[0]?.createdAt).equal(server.nowMs);
  });

  it("makes a device that is silent late and offline again, and counts its wait after a failure from now", async () => {
    const { id } = (await server.upload(await makeRelease("1.1.0"))).json();
    server.nowMs += YEARS_MS;
    expect((await server.check()).json().update_available).equal(true);
    await server.status({ firmware_id: id, status: "failed", error_code: "ROLLED_BACK" });
    expect((await server.check()).json().update_available).equal(false);
    server.nowMs = START_MS;
    const statusOf = async () => (await server.admin("GET", "/api/devices")).json().devices[0].status;
    expect(await statusOf()).equal("online");
    server.nowMs += 60 * MINUTE;
    expect(await statusOf()).equal("offline");
    server.nowMs = START_MS + 8 * DAY;
    expect((await server.check()).json().update_available).equal(true);
    expect((await server.admin("GET", "/api/devices")).json().devices[0].last_seen).equal(
      new Date(server.nowMs).toISOString(),
    );
  });

  it("offers a release again that had expired by that clock, also to a device whose checks change nothing", async () => {
    const expires = START_MS / 1000 + 30 * 86_400;
    await server.upload(await makeRelease("1.1.0", { expires }));
    await server.listen();
    server.nowMs += YEARS_MS;
    for (let n = 0; n < 3; n++) expect((await server.check()).json().update_available).equal(false);
    server.nowMs = START_MS;
    await server.app.tick();
    expect((await server.check()).json().update_available).equal(true);
  });

  it("says that it is not ready when its blobs are gone, though it was a moment ago", async () => {
    server.nowMs += YEARS_MS;
    const readyz = () => server.app.inject("/readyz");
    expect((await readyz()).statusCode).equal(200);
    server.nowMs = START_MS;
    server.app.context.blobs.put = () => Promise.reject(Object.assign(new Error("gone"), { code: "EIO" }));
    expect((await readyz()).statusCode).equal(503);
  });

  it("is noticed by its tick too, and when the server starts", async () => {
    await server.check();
    const device = (await server.store.findDevice("base-010203"))!;
    await server.store.putDevice({ ...device, lastSeen: START_MS + YEARS_MS });
    await server.app.tick();
    expect(await server.store.findDevice("base-010203")).include({ lastSeen: START_MS });
  });

  it("is believed when it is behind: a computer without a battery begins in 1970", async () => {
    await server.check();
    server.nowMs = 1000;
    await server.app.tick();
    await server.admin("GET", "/api/devices");
    expect(await server.store.findDevice("base-010203")).include({ lastSeen: START_MS });
  });
});

describe("the columns with a time", () => {
  const FOLDER = fileURLToPath(new URL("../../../server/store/migrations/", import.meta.url));
  /** Nothing is decided by them, or a person has chosen them. */
  const OTHERS = [
    "audit.time",
    "content_assignments.created_at",
    "content_assignments.from_time",
    "content_assignments.until_time",
    "content_images.created_at",
    "device_abilities.told_at",
    "device_attributes.updated_at",
    "device_orders.ended_at",
    "device_orders.sent_at",
    "device_types.created_at",
    "device_types.updated_at",
    "enrolment_tokens.revoked_at",
    "events.time",
    "firmware.created_at",
    "firmware.expires_at",
    "firmware.updated_at",
    // A number that a person has signed: as large as a time, and none.
    "deleted_releases.sequence",
    "firmware.sequence",
    // Corrected by a rule of its own.
    "login_buckets.full_at",
    "panels.asked_at",
    "panels.fetched_at",
    "reading_samples.time",
    "rollout_members.lease_until",
    "version_samples.time",
    // Where a migration copies the next one's rows.
    "ota_node_progress.created_at",
    "ota_node_progress.updated_at",
    "ota_node_status.created_at",
    "ota_node_status.updated_at",
    "ota_updates.created_at",
    "ota_updates.finished_at",
    "ota_updates.started_at",
    "ota_updates.updated_at",
    "api_tokens.revoked_at",
    "bulk_jobs.created_at",
    "bulk_jobs.ended_at",
    "bulk_jobs.updated_at",
    "removed_devices.first_seen",
    "removed_devices.last_seen",
    "systems.created_at",
    "systems.updated_at",
    "trust_roots.created_at",
    "users.created_at",
    "users.last_login_at",
    "users.updated_at",
    "webhook_deliveries.created_at",
    "webhooks.created_at",
    "webhooks.updated_at",
  ];

  it("are all known: what is counted from a clock that was ahead is corrected", () => {
    const known = new Set([
      ...Object.entries(HAPPENED).flatMap(([table, columns]) => columns.map((name) => `${table}.${name}`)),
      ...Object.entries(COUNTED).flatMap(([table, columns]) => columns.map((name) => `${table}.${name}`)),
      ...OTHERS,
    ]);
    const found = readdirSync(FOLDER).flatMap((file) => {
      let table = "";
      const text = readFileSync(`${FOLDER}${file}`, "utf8");
      return [
        ...text.matchAll(/(?:create|alter)Table\("(\w+)"\)|addColumn\("(\w+)", columns\.time/g),
      ].flatMap(([, tableName, column]) => {
        if (tableName !== undefined) table = tableName;
        return column === undefined ? [] : [`${table}.${column}`];
      });
    });
    expect(found.length).to.be.above(60);
    expect(found.filter((column) => !known.has(column))).deep.equal([]);
    expect([...known].filter((column) => !found.includes(column))).deep.equal([]);
  });
});
