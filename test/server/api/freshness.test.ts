// Statements of freshness at the API: what they say, to whom, and what the server tells people about its key, its root and devices that are frozen.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "chai";
import { compactVerify, importJWK } from "jose";
import { parseStatement } from "../../../firmware/core/trust/statement.js";
import { FreshnessKey } from "../../../server/releases/freshness.js";
import { EXPIRES, firstRoot, keysOfHolder } from "../../release/root-holders.js";
import { makeRelease, START_MS, TestServer } from "../test-server.js";

const PATH = "/api/ota/freshness";
const NONCE = "0123456789abcdef0123456789abcdef";
const DAY_MS = 86_400_000;

describe("statements of freshness", () => {
  let server: TestServer;
  beforeEach(async () => {
    const { privateKey } = await keysOfHolder("online");
    server = await TestServer.open({
      freshnessKey: await FreshnessKey.read(JSON.stringify(privateKey), "online"),
    });
  });
  afterEach(() => server.close());

  const ask = (body: object = {}, token?: string) =>
    server.app.inject({
      method: "POST",
      url: PATH,
      payload: { device_id: "base-010203", device_type: "base", nonce: NONCE, ...body },
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  /** As a device reads it. */
  async function stated(body: object = {}) {
    const answer = await ask(body);
    expect(answer.headers["content-type"]).to.equal("application/jose");
    await compactVerify(answer.body, await importJWK((await keysOfHolder("online")).publicKey, "ES256"));
    const parsed = parseStatement(answer.body);
    if (!parsed.ok) throw new Error(parsed.failure.message);
    return parsed.value;
  }
  const publish = async (root: { readonly text: string }) =>
    server.admin("POST", "/api/v1/roots", { root: root.text });
  const release = async (version: string, sequence?: number) =>
    server.upload(
      await makeRelease(version, {
        ...(sequence === undefined ? {} : { sequence }),
        key: (await keysOfHolder("release")).privateKey,
      }),
    );

  it("answer the question that was asked, now, signed by the server's key", async () => {
    const { statement, signed } = await stated();
    expect(statement).to.deep.equal({
      nonce: NONCE,
      type: "base",
      time: START_MS / 1000,
      expires: START_MS / 1000 + 600,
      newest: 0,
      withdrawn: [],
    });
    expect(signed.keyId).to.equal((await keysOfHolder("online")).publicKey.kid);
    server.nowMs += 5_000;
    expect((await stated({ nonce: "f".repeat(32), device_type: "led" })).statement).to.include({
      nonce: "f".repeat(32),
      type: "led",
      time: START_MS / 1000 + 5,
    });
  });

  it("name what the device is offered, and what was withdrawn", async () => {
    await release("1.1.0", 100);
    await release("1.2.0", 200);
    expect((await server.check()).json().version).to.equal("1.2.0");
    expect((await stated()).statement).to.include({ newest: 200 });
    expect((await stated({ device_id: "another" })).statement).to.include({ newest: 200 });
    await server.admin("PATCH", "/api/ota/admin/firmware/2", { is_active: false });
    expect((await server.check()).json().version).to.equal("1.1.0");
    const { image_sha256 } = (await server.admin("GET", "/api/ota/admin/firmware/2")).json();
    expect((await stated()).statement).to.deep.include({
      newest: 100,
      withdrawn: [image_sha256.slice(0, 16)],
    });
    expect((await stated({ device_type: "led" })).statement.withdrawn).to.deep.equal([]);
    await server.admin("DELETE", "/api/ota/admin/firmware/2?permanently=true");
    expect((await server.admin("GET", "/api/ota/admin/firmware/2")).statusCode).to.equal(404);
    expect((await stated()).statement.withdrawn).to.deep.equal([image_sha256.slice(0, 16)]);
  });

  it("are refused where the question is none, where a token is missing, and beyond the rate of a device", async () => {
    for (const nonce of ["", "0".repeat(31), "0".repeat(33), "A".repeat(32), 7])
      expect((await ask({ nonce })).statusCode, `${nonce}`).to.equal(400);
    expect((await ask({ padding: "x".repeat(1024) })).statusCode).to.equal(413);
    await server.admin("PUT", "/api/registration/closed", { registration: "approval", tokens: "required" });
    expect((await ask({ device_type: "closed" })).statusCode).to.equal(401);
    let refused = 0;
    for (let count = 0; count < 60; count++) if ((await ask()).statusCode === 429) refused++;
    expect(refused).to.be.within(10, 30);
  });

  it("need a key that the server has, and that the root names", async () => {
    const trust = async () => {
      const { freshness_key: key } = (await server.admin("GET", "/api/v1/roots")).json();
      server.nowMs += 10_000;
      return { key, isUnnamed: (await server.admin("GET", "/api/fleet")).json().freshness_unnamed };
    };
    const kid = (await keysOfHolder("online")).publicKey.kid;
    expect(await trust()).to.deep.equal({ key: { kid, is_named: false }, isUnnamed: false });
    await publish(await firstRoot());
    expect(await trust()).to.deep.equal({ key: { kid, is_named: true }, isUnnamed: false });
    await server.close();
    server = await TestServer.open();
    expect((await ask()).json()).to.include({ error: "FRESHNESS_UNKNOWN" });
    expect((await ask()).statusCode).to.equal(404);
    await publish(await firstRoot());
    expect(await trust()).to.deep.equal({ key: null, isUnnamed: true });
  });

  it("that devices miss are shown: in the list, as a count, and once in the log", async () => {
    const frozen = async () => ({
      listed: (await server.admin("GET", "/api/devices?root=frozen"))
        .json()
        .devices.map(({ device_id }: { device_id: string }) => device_id),
      count: (await server.admin("GET", "/api/v1/roots")).json().frozen,
    });
    await server.check({ device_id: "well" });
    await server.check();
    for (const isFrozen of [true, true, false, true]) await server.check({ frozen: isFrozen });
    expect(await frozen()).to.deep.equal({ listed: ["base-010203"], count: 1 });
    const shown = async () => (await server.admin("GET", "/api/devices/base-010203")).json();
    const since = new Date(START_MS).toISOString();
    expect(await shown()).to.include({ is_frozen: true, frozen_since: since });
    server.nowMs += DAY_MS;
    await server.check({ frozen: true });
    expect(await shown(), "since the first time").to.include({ frozen_since: since });
    expect((await shown()).trust).to.deep.equal({ newest_root: null, stated_at: null });
    await ask();
    expect((await shown()).trust.stated_at).to.equal(new Date(server.nowMs).toISOString());
    await server.check();
    expect(await shown()).to.include({ is_frozen: false, frozen_since: null });
    expect(await frozen()).to.deep.equal({ listed: [], count: 0 });
    const kinds = (await server.store.listEvents({ limit: 50 })).map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "device.frozen")).to.have.length(2);
    expect(kinds.filter((kind) => kind === "device.fresh")).to.have.length(2);
  });

  it("end with the root: 30 days before, and when it has expired, the log says so once", async () => {
    const said = async () => {
      await server.app.tick();
      return (await server.store.listEvents({ limit: 50 }))
        .map(({ kind }) => kind)
        .filter((kind) => kind.startsWith("root.exp"));
    };
    const soon = async () => (await server.admin("GET", "/api/fleet")).json().root_expires_soon;
    await publish(await firstRoot());
    expect([await said(), await soon()]).to.deep.equal([[], false]);
    server.nowMs = EXPIRES * 1000 - 30 * DAY_MS + 1;
    expect([await said(), await soon()]).to.deep.equal([["root.expires-soon"], true]);
    server.nowMs += DAY_MS;
    expect(await said()).to.deep.equal(["root.expires-soon"]);
    server.nowMs = EXPIRES * 1000;
    expect(await said()).to.deep.equal(["root.expired", "root.expires-soon"]);
    server.nowMs += DAY_MS;
    expect(await said()).to.have.length(2);
  });
});

describe("the key of statements of freshness", () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "skyslot-freshness-"));
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const opened = async (text: string, mode: number) => {
    const file = join(folder, `${Math.random()}.jwk`);
    await writeFile(file, text, { mode });
    return FreshnessKey.open(file).then(
      (key) => key?.kid,
      (error: Error) => error.message,
    );
  };

  it("is a file that only its owner can read", async () => {
    const { privateKey, publicKey } = await keysOfHolder("online");
    const text = JSON.stringify(privateKey);
    expect(await opened(text, 0o600)).to.equal(publicKey.kid);
    for (const mode of [0o640, 0o604, 0o660])
      expect(await opened(text, mode), mode.toString(8)).to.match(/^other users .* chmod 600 /);
    expect(await FreshnessKey.open(join(folder, "none.jwk"))).to.equal(undefined);
  });

  it("is refused with a sentence where it is anything else", async () => {
    const { privateKey, publicKey } = await keysOfHolder("online");
    expect(await opened(JSON.stringify(publicKey), 0o600)).to.match(/contains a public key/);
    expect(await opened("-----BEGIN EC PRIVATE KEY-----", 0o600)).to.match(/PEM/);
    expect(await opened("{}", 0o600)).to.match(/not a key of kty EC/);
    const damaged = { ...privateKey, y: privateKey.x };
    expect(await opened(JSON.stringify(damaged), 0o600)).to.match(/damaged key/);
  });
});
